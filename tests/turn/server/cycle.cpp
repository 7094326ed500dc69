// The whole server in the simulator: allocate, permit, send, bind, refresh, over UDP and TCP.
#include <doctest/doctest.h>

#include "async/async.hpp"
#include "sim/network.hpp"
#include "stun/channel_data.hpp"
#include "turn/server/relay_server.hpp"
#include "turn_messages.hpp"

using namespace strata;
using namespace strata::test;
using namespace std::chrono_literals;
namespace server = strata::turn::server;

namespace {

struct world {
  sim::network net{7};
  sim::host& client = net.add_host("client", {"192.0.2.1", "2001:db8::1"});
  sim::host& peer = net.add_host("peer", {"192.0.2.2", "2001:db8::2"});
  sim::host& relay = net.add_host("relay", {"192.0.2.9", "2001:db8::9"});

  server::config config() const {
    server::config c;
    c.udp = c.tcp = {{relay.address(0), 3478}};
    c.relay = {{relay.address(0)}, {relay.address(1)}};
    c.users["alice"] = "secret";
    c.peers = server::peer_policy::everything();
    return c;
  }
};

// One exchange over UDP.
async::task<base::bytes> ask(net::udp_socket& s, base::endpoint to, base::bytes message) {
  s.send(to, message);
  const auto batch = co_await s.receive();
  REQUIRE(batch);
  co_return base::to_bytes(batch->front().payload);
}

async::task<login> challenge(net::udp_socket& s, base::endpoint to, std::string user = "alice") {
  const auto answer = co_await ask(s, to, request(stun::method::allocate, udp));
  const auto m = stun::message_view::parse(answer);
  REQUIRE(m);
  CHECK(code_of(answer) == 401);
  co_return login{user, "secret", std::string(m->get<stun::realm>()->text), std::string(m->get<stun::nonce>()->text)};
}

async::task<base::bytes> receive(net::udp_socket& s) {
  const auto batch = co_await s.receive();
  REQUIRE(batch);
  co_return base::to_bytes(batch->front().payload);
}

}  // namespace

// req: 8656-12.5-a
TEST_CASE("a client allocates, talks to a peer by indications and then by a channel, and lets go") {
  world w;
  w.net.run([](world& w) -> async::task<> {
    server::relay_server relay(w.relay, w.config());
    REQUIRE(relay.listen());
    const auto to = relay.udp_endpoints().front();
    co_await async::with_scope(async::at_end::cancel, [&](async::scope& s) -> async::task<> {
      s.spawn("relay", [&relay] { return relay.run(); });
      const auto mine = *w.client.bind_udp({w.client.address(0), 5000});
      const auto theirs = *w.peer.bind_udp({w.peer.address(0), 6000});
      const base::endpoint peer = theirs->local_endpoint();
      const auto who = co_await challenge(*mine, to);

      const auto allocated = co_await ask(*mine, to, request(stun::method::allocate, udp, who));
      REQUIRE(code_of(allocated) == 0);
      const auto m = *stun::message_view::parse(allocated);
      const auto relayed = m.get<stun::xor_relayed_address>()->endpoint;
      CHECK(relayed.address == w.relay.address(0));
      CHECK(m.get<stun::xor_mapped_address>()->endpoint == mine->local_endpoint());
      CHECK(m.get<stun::lifetime>()->value == 600);
      CHECK(relay.allocations() == 1);

      mine->send(to, send_indication(peer, "too early"));
      CHECK(code_of(co_await ask(*mine, to, request(stun::method::create_permission, towards({peer}), who))) == 0);
      mine->send(to, send_indication(peer, "hello"));
      CHECK(base::as_text(co_await receive(*theirs)) == "hello");

      theirs->send(relayed, base::as_bytes("welcome"));
      const auto data = co_await receive(*mine);
      const auto d = *stun::message_view::parse(data);
      CHECK(d.is(stun::message_class::indication, stun::method::data));
      CHECK(d.get<stun::xor_peer_address>()->endpoint == peer);
      CHECK(base::as_text(d.get<stun::data>()->bytes) == "welcome");

      CHECK(code_of(co_await ask(*mine, to, request(stun::method::channel_bind, channel(0x4001, peer), who))) == 0);
      base::bytes framed;
      stun::write_channel_data(framed, 0x4001, base::as_bytes("short"));
      mine->send(to, framed);
      CHECK(base::as_text(co_await receive(*theirs)) == "short");
      theirs->send(relayed, base::as_bytes("and back"));
      const auto back = co_await receive(*mine);
      const auto c = stun::channel_data::parse(back);
      REQUIRE(c);
      CHECK(c->channel == 0x4001);
      CHECK(base::as_text(c->data) == "and back");

      const auto bye = [](stun::message_writer& m) { m.add(stun::lifetime{0}); };
      CHECK(code_of(co_await ask(*mine, to, request(stun::method::refresh, bye, who))) == 0);
      CHECK(relay.allocations() == 0);
      CHECK(code_of(co_await ask(*mine, to, request(stun::method::refresh, bye, who))) == 437);
      CHECK(relay.counted().dropped_no_permission == 1);
      CHECK(relay.counted().to_peers == 2);
      CHECK(relay.counted().from_peers == 2);
    });
  }(w));
}

TEST_CASE("an address that the relay's machine has just got is no peer") {
  world w;
  auto c = w.config();
  c.peers = {};
  w.net.run([](world& w, server::config c) -> async::task<> {
    server::relay_server relay(w.relay, c);
    REQUIRE(relay.listen());
    const auto to = relay.udp_endpoints().front();
    co_await async::with_scope(async::at_end::cancel, [&](async::scope& s) -> async::task<> {
      s.spawn("relay", [&relay] { return relay.run(); });
      const auto mine = *w.client.bind_udp({w.client.address(0), 0});
      const auto who = co_await challenge(*mine, to);
      CHECK(code_of(co_await ask(*mine, to, request(stun::method::allocate, udp, who))) == 0);
      const auto permit = [&] {
        return ask(*mine, to, request(stun::method::create_permission, towards({at("9.9.9.9:53")}), who));
      };
      CHECK(code_of(co_await permit()) == 0);
      w.relay.add_address("eth0", "9.9.9.9");
      co_await async::sleep_for(1s);
      CHECK(code_of(co_await permit()) == 403);
    });
  }(w, c));
}

// req: 8656-11.5-b
TEST_CASE("a client learns that nobody listens at a peer's port") {
  world w;
  w.net.run([](world& w) -> async::task<> {
    server::relay_server relay(w.relay, w.config());
    REQUIRE(relay.listen());
    const auto to = relay.udp_endpoints().front();
    co_await async::with_scope(async::at_end::cancel, [&](async::scope& s) -> async::task<> {
      s.spawn("relay", [&relay] { return relay.run(); });
      const auto mine = *w.client.bind_udp({w.client.address(0), 0});
      const base::endpoint nobody{w.peer.address(0), 9};
      const auto who = co_await challenge(*mine, to);
      CHECK(code_of(co_await ask(*mine, to, request(stun::method::allocate, udp, who))) == 0);
      CHECK(code_of(co_await ask(*mine, to, request(stun::method::create_permission, towards({nobody}), who))) == 0);
      const auto said = co_await ask(*mine, to, send_indication(nobody, "hello?"));
      const auto m = *stun::message_view::parse(said);
      CHECK(m.get<stun::xor_peer_address>()->endpoint == nobody);
      CHECK(*m.get<stun::icmp>() == stun::icmp{.icmp_type = 3, .code = 3, .error_data = 0});
      CHECK(relay.counted().reports == 1);
    });
  }(w));
}

TEST_CASE("two clients of one relay talk through two of its relayed addresses, of either family") {
  world w;
  w.net.run([](world& w) -> async::task<> {
    server::relay_server relay(w.relay, w.config());
    REQUIRE(relay.listen());
    const auto to = relay.udp_endpoints().front();
    co_await async::with_scope(async::at_end::cancel, [&](async::scope& s) -> async::task<> {
      s.spawn("relay", [&relay] { return relay.run(); });
      for (const auto family : {base::ip_family::v4, base::ip_family::v6}) {
        const auto a = *w.client.bind_udp({w.client.address(0), 0}), b = *w.peer.bind_udp({w.peer.address(0), 0});
        const auto alice = co_await challenge(*a, to), bob = co_await challenge(*b, to);
        const auto wish = [family](stun::message_writer& m) {
          udp(m);
          m.add(stun::requested_address_family{family});
        };
        const auto one = co_await ask(*a, to, request(stun::method::allocate, wish, alice));
        const auto two = co_await ask(*b, to, request(stun::method::allocate, wish, bob));
        const auto at_a = stun::message_view::parse(one)->get<stun::xor_relayed_address>()->endpoint;
        const auto at_b = stun::message_view::parse(two)->get<stun::xor_relayed_address>()->endpoint;
        CHECK(at_a.address.family() == family);
        CHECK(code_of(co_await ask(*a, to, request(stun::method::create_permission, towards({at_b}), alice))) == 0);
        CHECK(code_of(co_await ask(*b, to, request(stun::method::create_permission, towards({at_a}), bob))) == 0);
        a->send(to, send_indication(at_b, "through both"));
        const auto got = co_await receive(*b);
        const auto d = *stun::message_view::parse(got);
        CHECK(base::as_text(d.get<stun::data>()->bytes) == "through both");
        CHECK(d.get<stun::xor_peer_address>()->endpoint == at_a);
      }
    });
  }(w));
}
