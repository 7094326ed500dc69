// The Binding server: what it answers, what it drops, and what it costs to flood it.
#include "stun/binding_server.hpp"

#include <doctest/doctest.h>

#include "async/async.hpp"
#include "sim/network.hpp"
#include "stun/attributes.hpp"
#include "stun/fingerprint.hpp"
#include "stun/message_writer.hpp"
#include "stun/query.hpp"
#include "stun/short_term.hpp"
#include "vector_file.hpp"

using namespace strata;
using namespace strata::stun;
using namespace std::chrono_literals;

namespace {

const transaction_id id{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
const base::endpoint v4 = *base::endpoint::parse("203.0.113.9:4000");
const base::endpoint v6 = *base::endpoint::parse("[2001:db8::9]:4000");

base::bytes binding(const std::function<void(message_writer&)>& fill = {}, message_class c = message_class::request,
                    method m = method::binding) {
  base::bytes out;
  message_writer w(out, {c, m}, id);
  if (fill) fill(w);
  return out;
}

struct answer {
  responder_verdict verdict;
  base::bytes bytes;
  [[nodiscard]] message_view message() const { return *message_view::parse(bytes); }
};

answer ask(const base::bytes& request, const base::endpoint& from = v4, const responder_policy& policy = {}) {
  answer a{};
  a.verdict = respond_binding(policy, request, from, a.bytes);
  return a;
}

}  // namespace

// req: 8489-5-e 8489-6.3.1.1-e
TEST_CASE("the answer is the source address, with the id of the request, and nothing more") {
  for (const auto& from : {v4, v6}) {
    const auto a = ask(binding(), from);
    CHECK(a.verdict == responder_verdict::answered);
    CHECK(a.message().transaction_id() == id);
    CHECK(a.message().get<xor_mapped_address>()->endpoint == from);
    CHECK(a.bytes.size() == (from.address.is_v4() ? 32 : 44));  // 1.6 times the request, the least an answer can be
  }
}

TEST_CASE("an IPv4 client on a dual-stack socket is told its IPv4 address") {
  CHECK(ask(binding(), *base::endpoint::parse("[::ffff:192.0.2.1]:5"))
            .message()
            .get<xor_mapped_address>()
            ->endpoint.to_string() == "192.0.2.1:5");
}

// req: 8489-6.3.1.1-d
TEST_CASE("SOFTWARE is sent when it is configured") {
  CHECK(ask(binding(), v4, {.software = "strata"}).message().get<software>()->text == "strata");
  CHECK_FALSE(ask(binding()).message().has(attribute_type::software));
}

// req: 8489-12-c
TEST_CASE("FINGERPRINT is given to those who use it, not asked of the others, and a wrong one is dropped") {
  CHECK_FALSE(ask(binding()).message().fingerprint_offset());
  auto request = binding([](message_writer& w) { w.fingerprint(); });
  CHECK(check_fingerprint(ask(request).message()) == fingerprint_check::valid);
  request.back() ^= 1;
  const auto a = ask(request);
  CHECK(a.verdict == responder_verdict::bad_fingerprint);
  CHECK(a.bytes.empty());
}

// req: 8489-6.3.1-a 8489-6.3.1.1-a 8489-6.3.1.1-b 5780-6-d
TEST_CASE("attributes that have to be understood and are not are listed in a 420, each once") {
  const auto a = ask(binding([](message_writer& w) {
    w.add(attribute_type{0x7fff}, {})
        .add(attribute_type{0x7ffe}, {})
        .add(attribute_type{0x7fff}, {})
        .add(change_request{true, true});
    w.add(attribute_type{0x8fff}, {});
  }));
  CHECK(a.verdict == responder_verdict::refused);
  const auto m = a.message();
  CHECK(m.is(message_class::error, method::binding));
  CHECK(m.get<error_code>()->code == 420);
  const auto list = *m.get<unknown_attributes>();
  REQUIRE(list.size() == 3);
  CHECK(list.at(0) == attribute_type{0x7fff});
  CHECK(list.at(1) == attribute_type{0x7ffe});
  CHECK(list.at(2) == attribute_type::change_request);
}

TEST_CASE("no request makes an answer more than 1.6 times its size over IPv4") {
  for (int count = 1; count <= 300; ++count) {
    const auto request = binding([&](message_writer& w) {
      for (int i = 0; i < count; ++i) w.add(attribute_type{static_cast<std::uint16_t>(0x7000 + i)}, {});
    });
    CHECK(ask(request).bytes.size() * 10 <= request.size() * 16);
  }
}

// req: 8489-6.3.2-a 8489-6.3-a 8489-6.3.1-c
TEST_CASE("indications, responses, unknown methods and what is no STUN get no answer") {
  CHECK(ask(binding({}, message_class::indication)).verdict == responder_verdict::not_a_request);
  CHECK(ask(binding({}, message_class::success)).verdict == responder_verdict::not_a_request);
  CHECK(ask(binding({}, message_class::error)).verdict == responder_verdict::not_a_request);
  CHECK(ask(binding({}, message_class::request, method::allocate)).verdict == responder_verdict::unknown_method);
  CHECK(ask(binding({}, message_class::request, method{0xfff})).verdict == responder_verdict::unknown_method);
  CHECK(ask(base::to_bytes("GET / HTTP/1.1\r\n\r\n and more")).verdict == responder_verdict::not_stun);
  CHECK(ask({}).verdict == responder_verdict::not_stun);
  CHECK(ask(test::vector("rfc8489-b.1-as-published-INVALID")).verdict == responder_verdict::malformed);
  const auto unknown_in_indication =
      binding([](message_writer& w) { w.add(attribute_type{0x7fff}, {}); }, message_class::indication);
  CHECK(ask(unknown_in_indication).bytes.empty());
}

// req: 8489-6.3.1-b
TEST_CASE("a retransmitted request gets the same answer again") { CHECK(ask(binding()).bytes == ask(binding()).bytes); }

// req: 8489-12-b 8489-6.3-e
TEST_CASE("credentials and other attributes nobody asked for are no obstacle") {
  const auto a = ask(binding(
      [](message_writer& w) { w.add(username{"bob"}).add(realm{"r"}).add(nonce{"n"}).integrity(short_term_key("guess")); }));
  CHECK(a.verdict == responder_verdict::answered);
}

// req: 8489-12-d
TEST_CASE("a client of RFC 3489 is answered with MAPPED-ADDRESS and its whole 128-bit id") {
  auto request = binding();
  request[4] = 0xaa;
  const auto a = ask(request);
  CHECK(a.verdict == responder_verdict::answered);
  CHECK(std::ranges::equal(base::byte_view(a.bytes).subspan(4, 16), base::byte_view(request).subspan(4, 16)));
  CHECK(message_view::parse_without_cookie(a.bytes)->get<mapped_address>()->endpoint == v4);
  CHECK(ask(request, v4, {.serve_rfc3489 = false}).verdict == responder_verdict::not_stun);
}

// req: 8489-12-a 8489-6.3.1.2-a
TEST_CASE("a server answers over UDP and over TCP, from the address that was asked") {
  sim::network net{1};
  auto& client = net.add_host("client", {"192.0.2.1", "2001:db8::1"});
  auto& machine = net.add_host("server", {"192.0.2.2", "192.0.2.3", "2001:db8::2"});
  std::vector<std::string> sources;
  net.tap([&](const sim::packet_event& e) {
    if (e.what == sim::packet_event::moment::sent && e.packet.source.port == 3478)
      sources.push_back(e.packet.source.to_string());
  });
  net.run([](sim::host& c, sim::host& m) -> async::task<> {
    binding_server server(m, {});
    const auto first = m.bind_udp({m.address(0), 3478}), second = m.bind_udp({m.address(1), 3478}),
               six = m.bind_udp({m.address(2), 3478});
    const auto listener = m.listen_tcp({m.address(0), 3478});
    co_await async::with_scope(async::at_end::cancel, [&](async::scope& s) -> async::task<> {
      const auto udp = [&server](net::udp_socket* u) -> async::task<> { co_await server.serve_udp(*u); };
      s.spawn("first", udp, first->get());
      s.spawn("second", udp, second->get());
      s.spawn("six", udp, six->get());
      s.spawn("tcp", [&server](net::listener* l) -> async::task<> { co_await server.serve_tcp(*l); }, listener->get());
      for (const std::size_t n : {0u, 1u, 2u}) {
        const auto r = co_await query_binding(c, base::endpoint{m.address(n), 3478});
        REQUIRE(r);
        CHECK(r->mapped.address == c.address(n == 2 ? 1 : 0));
      }
      const auto r = co_await query_binding_tcp(c, base::endpoint{m.address(0), 3478});
      REQUIRE(r);
      CHECK(r->mapped.address == c.address(0));
    });
    CHECK(server.counted().answered == 4);
    CHECK(server.counted().tcp_accepted == 1);
  }(client, machine));
  CHECK(std::ranges::count(sources, "192.0.2.2:3478") >= 1);
  CHECK(std::ranges::count(sources, "192.0.2.3:3478") == 1);
  CHECK(std::ranges::count(sources, "[2001:db8::2]:3478") == 1);
}

// req: 8489-6.2.2-g 8489-6.2.2-h 8489-6.2.2-i
TEST_CASE("a TCP connection is left to the client until it has been idle for a minute, and is never reopened from here") {
  sim::network net{1};
  auto& client = net.add_host("client", {"192.0.2.1"});
  auto& machine = net.add_host("server", {"192.0.2.2"});
  net.run([](sim::host& c, sim::host& m) -> async::task<> {
    binding_server server(m, {});
    const auto listener = m.listen_tcp({m.address(0), 3478});
    co_await async::with_scope(async::at_end::cancel, [&](async::scope& s) -> async::task<> {
      s.spawn("tcp", [&server](net::listener* l) -> async::task<> { co_await server.serve_tcp(*l); }, listener->get());
      auto stream = co_await c.connect_tcp({m.address(0), 3478});
      REQUIRE(stream);
      base::bytes buffer(100);
      for (int i = 0; i < 3; ++i) {
        co_await async::sleep_for(50s);
        const auto two = [] {
          auto one = binding();
          base::append(one, binding());
          return one;
        }();
        CHECK(co_await (*stream)->write(two));
        std::size_t got = 0;
        while (got < 64) got += *co_await (*stream)->read(buffer);
        CHECK(got == 64);
      }
      const auto before = c.now();
      const auto end = co_await (*stream)->read(buffer);
      CHECK((!end || *end == 0));
      CHECK(c.now() - before >= 59s);
    });
    CHECK(server.counted().answered == 6);
  }(client, machine));
}

TEST_CASE("one address cannot have more answers than its share, and others do not notice") {
  sim::network net{1};
  auto& machine = net.add_host("server", {"192.0.2.2"});
  auto& loud = net.add_host("loud", {"192.0.2.66"});
  auto& quiet = net.add_host("quiet", {"192.0.2.1"});
  net.run([](sim::host& m, sim::host& l, sim::host& q) -> async::task<> {
    binding_server server(m, {.answers_per_second = 10, .burst = 20});
    const auto socket = m.bind_udp({m.address(0), 3478});
    const auto flood = l.bind_udp({l.address(0), 0});
    co_await async::with_scope(async::at_end::cancel, [&](async::scope& s) -> async::task<> {
      s.spawn("serve", [&server](net::udp_socket* u) -> async::task<> { co_await server.serve_udp(*u); }, socket->get());
      for (int i = 0; i < 500; ++i) (*flood)->send({m.address(0), 3478}, binding());
      CHECK(co_await query_binding(q, base::endpoint{m.address(0), 3478}));
      CHECK(server.counted().answered == 21);
      CHECK(server.counted().rate_limited == 480);
      co_await async::sleep_for(1s);
      for (int i = 0; i < 500; ++i) (*flood)->send({m.address(0), 3478}, binding());
      co_await async::sleep_for(1s);
      CHECK(server.counted().answered == 31);
    });
  }(machine, loud, quiet));
}

TEST_CASE("an IPv6 subscriber has one share for the whole /64") {
  rate_limiter r(42, 1, 4);
  const base::instant now(1h);
  int admitted = 0;
  for (std::uint8_t i = 0; i < 100; ++i) {
    admitted += r.admit(base::ip_address::v6({0x20, 1, 0xd, 0xb8, 0, 0, 0, 1, i, 2, 3, 4, 5, 6, 7, 8}), now);
  }
  CHECK(admitted == 4);
  CHECK(r.admit(base::ip_address::v6({0x20, 1, 0xd, 0xb8, 0, 0, 0, 2}), now));
}
