// What the client says and when, and what it takes from a server that says anything.
#include <algorithm>

#include "script.hpp"
#include "stun/registry.hpp"

using namespace strata;
using namespace strata::turn;
using namespace strata::turn::testing;

namespace {

base::bytes value_of(const stun::message_view& m, stun::attribute_type type) {
  for (const auto& a : m)
    if (a.type == type) return base::to_bytes(a.value);
  return {};
}

base::bytes indication(const std::function<void(stun::message_writer&)>& fill) {
  base::bytes out;
  stun::message_writer w(out, {stun::message_class::indication, stun::method::data}, {});
  fill(w);
  return out;
}

}  // namespace

// req: 8656-7.1-d 8656-7.1-e 8656-7.1-f 8656-7.1-g 8656-7.1-h 8656-7.1-i 8656-7.1-j 8656-7.1-l 8656-18.6-a 8656-18.8-a
TEST_CASE("an Allocate asks for UDP, and for families by the one attribute that says it") {
  using enum base::ip_family;
  struct row {
    std::vector<base::ip_family> families;
    base::bytes requested, additional;
  };
  for (const auto& r : {row{{v4}, {}, {}}, row{{v6}, {2, 0, 0, 0}, {}}, row{{v4, v6}, {}, {2, 0, 0, 0}}}) {
    script x;
    auto c = lab::client_config();
    c.families = r.families;
    c.lifetime = 20min;
    x.answer = [&](const stun::message_view& m) { return x.refuse(m, 403); };
    x.run([&]() -> async::task<> {
      CHECK_FALSE(co_await allocation::allocate(x.l.client, c));
      const auto m = x.heard.front().view();
      CHECK(value_of(m, stun::attribute_type::requested_transport) == base::bytes{17, 0, 0, 0});
      CHECK(value_of(m, stun::attribute_type::requested_address_family) == r.requested);
      CHECK(value_of(m, stun::attribute_type::additional_address_family) == r.additional);
      CHECK(m.get<stun::lifetime>()->value == 1200);
      CHECK_FALSE(m.has(stun::attribute_type::reservation_token));
      CHECK_FALSE(m.has(stun::attribute_type::even_port));
    });
  }
}

// req: 8656-5-b 8656-9-b 8656-10.1-a 8656-10.1-b 8656-10.1-c 8656-11.1-a 8656-11.1-b 8656-12.1-a 8656-18-a
TEST_CASE("a permission comes first, one for each address of the relay's family, and Send indications are not signed") {
  script x;
  x.with_allocation([&](allocation& a) -> async::task<> {
    const auto other = *base::ip_address::parse("203.0.113.77");
    for (const char* text : {"12345", "2"}) a.send(x.peer, base::as_bytes(text));
    a.send({x.peer.address, 4001}, base::as_bytes("3"));  // another port, no other permission
    a.send({other, 1}, base::as_bytes("4"));
    for (int i = 0; i < 40; ++i) a.send({x.l.peer.address(1), 4000}, base::as_bytes("of another family"));
    a.permit(x.l.peer.address(1));
    CHECK(x.all(stun::method::send).empty());
    co_await async::sleep_for(1s);
    const auto asked = x.all(stun::method::create_permission);
    REQUIRE(asked.size() == 1);
    std::vector<base::ip_address> peers;
    for (const auto& at : asked.front()->view())
      if (at.type == stun::attribute_type::xor_peer_address)
        peers.push_back(stun::xor_peer_address::decode(at, asked.front()->view().transaction_id())->endpoint.address);
    std::ranges::sort(peers);
    CHECK(peers == std::vector{x.peer.address, other});
    const auto sent = x.all(stun::method::send);
    REQUIRE(sent.size() == 4);
    for (const auto* s : sent) {
      CHECK(s->at >= asked.front()->at);
      CHECK(s->bytes.size() % 4 == 0);
      CHECK_FALSE(s->view().integrity_offset());
      CHECK_FALSE(s->view().integrity_sha256_offset());
      CHECK(s->view().has(stun::attribute_type::xor_peer_address));
      CHECK(s->view().has(stun::attribute_type::data));
    }
    CHECK(base::as_text(sent.front()->view().get<stun::data>()->bytes) == "12345");
    CHECK(x.all(stun::method::channel_bind).empty());
  });
}

// req: 8656-5-c 8656-7.3-f 8656-8-a 8656-8-b 8656-8.1-a 8656-8.3-a
TEST_CASE("an allocation is refreshed in time, as often as the server wants, by who made it, and given back") {
  script x;
  unsigned refreshes = 0;
  x.answer = [&](const stun::message_view& m) -> std::optional<base::bytes> {
    if (m.method() != stun::method::refresh) return std::nullopt;
    const auto granted = m.get<stun::lifetime>()->value == 0 ? 0u : ++refreshes < 3 ? 600u : 120u;
    return x.accept(m, [&](stun::message_writer& w) { w.add(stun::lifetime{granted}); });
  };
  x.with_allocation([&](allocation& a) -> async::task<> {
    CHECK(a.local_endpoint() == x.relayed);
    CHECK(a.mapped() == base::endpoint{x.l.client.address(0), 4711});
    CHECK(a.lifetime() == 600s);
    co_await async::sleep_for(40min);
    CHECK(a.lifetime() == 120s);
  });
  const auto all = x.all(stun::method::refresh);
  REQUIRE(all.size() > 8);
  auto before = x.heard.front().at;
  for (std::size_t i = 0; i + 1 < all.size(); ++i) {
    CHECK(all[i]->at - before < (i < 3 ? 600s : 120s));
    CHECK(all[i]->at - before > 30s);
    CHECK(all[i]->view().get<stun::username>()->text == "ada");
    CHECK_FALSE(all[i]->view().has(stun::attribute_type::requested_address_family));  // of all families that there are
    before = all[i]->at;
  }
  CHECK(all.back()->view().get<stun::lifetime>()->value == 0);
}

// req: 8656-8.3-b
TEST_CASE("giving back what the server does not know any more is no trouble") {
  script x;
  x.answer = [&](const stun::message_view& m) -> std::optional<base::bytes> {
    if (m.method() == stun::method::refresh) return x.refuse(m, 437);
    return std::nullopt;
  };
  x.run([&]() -> async::task<> {
    auto made = co_await allocation::allocate(x.l.client, lab::client_config());
    REQUIRE(made);
    (*made)->release();
    const auto began = x.l.net.now();
    CHECK(co_await (*made)->run() == make_error_code(errc::released));
    CHECK(x.l.net.now() - began < 1s);
  });
}

TEST_CASE("a path that nothing is said on is kept open") {
  script x;
  x.with_allocation([&](allocation&) -> async::task<> {
    co_await async::sleep_for(5min);
    const auto kept = x.all(stun::method::binding);
    CHECK(kept.size() >= 14);
    CHECK(kept.front()->view().class_() == stun::message_class::indication);
  });
}

// req: 8656-11.4-a 8656-11.4-b 8656-11.6-a 8656-12.6-a 8656-12.6-b 8656-12.6-c 8656-18.13-a
TEST_CASE("what a server must not say is dropped and counted") {
  script x;
  x.with_allocation([&](allocation& a) -> async::task<> {
    std::vector<base::errc> told;
    a.on_unreachable = [&](const base::endpoint& who, base::errc why) {
      CHECK(who == x.peer);
      told.push_back(why);
    };
    a.send(x.peer, base::as_bytes("x"));
    co_await async::sleep_for(1s);
    const base::endpoint stranger{*base::ip_address::parse("203.0.113.66"), 1};
    const auto channel = [](std::uint16_t number, std::size_t cut) {
      base::bytes out;
      stun::write_channel_data(out, number, base::as_bytes("12345678"));
      out.resize(out.size() - cut);
      return out;
    };
    const std::uint8_t port_unreachable[] = {0xff, 0xff, 3 << 1, 3, 0, 0, 0, 0};  // the reserved bits set
    for (const auto& d : {
             indication([&](auto& w) { w.add(stun::data{base::as_bytes("x")}); }),
             indication([&](auto& w) { w.add(stun::xor_peer_address{x.peer}); }),
             indication([&](auto& w) { w.add(stun::xor_peer_address{stranger}).add(stun::data{base::as_bytes("x")}); }),
             indication(
                 [&](auto& w) { w.add(stun::xor_peer_address{stranger}).add(stun::attribute_type::icmp, port_unreachable); }),
             channel(0x4000, 0),
             channel(0x4fff, 0),
             channel(0x4000, 3),
             base::bytes{},
             base::bytes(3, 0xff),
             base::bytes(200, 0x80),
         })
      x.to_client(d);
    co_await async::sleep_for(1s);
    CHECK(a.counts().received == 0);
    CHECK(a.counts().dropped_unpermitted == 2);
    CHECK(a.counts().dropped_malformed == 7);
    CHECK(told.empty());
    x.to_client(
        indication([&](auto& w) { w.add(stun::xor_peer_address{x.peer}).add(stun::attribute_type::icmp, port_unreachable); }));
    co_await async::sleep_for(1s);
    CHECK(told == std::vector{base::errc::refused});
  });
}

// req: 8656-12-f 8656-12-a 8656-18.1-a
TEST_CASE("data in a channel is taken as soon as the channel has been asked for") {
  script x;
  std::optional<std::uint16_t> number;
  x.answer = [&](const stun::message_view& m) -> std::optional<base::bytes> {
    if (m.method() != stun::method::channel_bind) return std::nullopt;
    number = m.get<stun::channel_number>()->value;
    CHECK(value_of(m, stun::attribute_type::channel_number)[2] == 0);
    CHECK(value_of(m, stun::attribute_type::channel_number)[3] == 0);
    return script::silence;
  };
  x.with_allocation([&](allocation& a) -> async::task<> {
    for (int i = 0; i < 20; ++i) a.send(x.peer, base::as_bytes("x"));
    co_await async::sleep_for(1s);
    REQUIRE(number);
    CHECK(*number >= 0x4000);
    CHECK(*number <= 0x4fff);
    base::bytes out;
    stun::write_channel_data(out, *number, base::as_bytes("early"));
    x.to_client(out);
    const auto p = co_await reader(a).next();
    CHECK(p.text == "early");
    CHECK(p.from == x.peer);
    CHECK(x.channel_data == 0);
  });
}
