// A client against servers that answer well, badly, late, or send it elsewhere.
#include "stun/client.hpp"

#include "exchange.hpp"
#include "stun/fingerprint.hpp"
#include "stun/query.hpp"

using namespace strata;
using namespace strata::stun;
using namespace strata::test;

namespace {
const auto echo = [](const message_view& m, const base::endpoint& from) -> std::optional<base::bytes> {
  return succeed(m, from);
};
const base::endpoint mapped = *base::endpoint::parse("203.0.113.9:4000");
}  // namespace

TEST_CASE("a Binding request finds the mapped address") {
  exchange x;
  const auto r = x.binding(echo);
  REQUIRE(r);
  CHECK(r->mapped.address == x.client_host.address(0));
  CHECK(r->server == x.server);
  CHECK(r->round_trip == 20ms);
  CHECK(r->transmissions == 1);
}

// req: 8489-6.1-a 8489-16.1.2-a
TEST_CASE("requests carry SOFTWARE unless it is configured away") {
  exchange x;
  REQUIRE(x.binding(echo));
  REQUIRE(x.binding(echo, {.software = ""}));
  CHECK(x.request(0).get<software>()->text == "strata");
  CHECK_FALSE(x.request(1).has(attribute_type::software));
}

// req: 8489-7-a 8489-6.3-c
TEST_CASE("with FINGERPRINT in use requests end with it, and answers without a right one are as if they had never come") {
  for (const int spoil : {0, 1, 2}) {
    CAPTURE(spoil);
    exchange x;
    const auto r = x.binding(
        [&](const message_view& m, const base::endpoint& from) -> std::optional<base::bytes> {
          auto answer = succeed(m, from, [&](message_writer& w) {
            if (spoil != 1) w.fingerprint();
          });
          if (spoil == 2) answer.back() ^= 1;
          return answer;
        },
        {.rc = 2, .rm = 1, .fingerprint = true});
    CHECK(r.has_value() == (spoil == 0));
    if (!r) CHECK(r.error() == make_error_code(errc::bad_fingerprint));
    CHECK(check_fingerprint(x.request(0)) == fingerprint_check::valid);
    CHECK(x.requests.size() == (spoil == 0 ? 1 : 2));
  }
}

// req: 8489-6.3.3-a
TEST_CASE("a success response with an attribute that has to be understood and is not fails the transaction") {
  exchange x;
  const auto r = x.binding([](const message_view& m, const base::endpoint& from) -> std::optional<base::bytes> {
    return succeed(m, from, [](message_writer& w) { w.add(attribute_type{0x7ffe}, {}); });
  });
  CHECK(r.error() == make_error_code(errc::unknown_attribute));
  CHECK(x.requests.size() == 1);
}

// req: 8489-6.3-d 8489-6.3-e
TEST_CASE("optional attributes nobody knows, and known ones nobody expects, do no harm") {
  exchange x;
  const auto r = x.binding([](const message_view& m, const base::endpoint& from) -> std::optional<base::bytes> {
    return succeed(m, from, [](message_writer& w) {
      w.add(attribute_type{0x8fff}, base::as_bytes("whatever")).add(nonce{"what for"}).add(username{"me"});
    });
  });
  CHECK(r);
}

// req: 8489-6.3.3-b
TEST_CASE("a mapped address of an unknown family is as good as none") {
  exchange x;
  const auto r = x.binding([](const message_view& m, const base::endpoint&) -> std::optional<base::bytes> {
    return respond(m, message_class::success,
                   [](message_writer& w) { w.add(attribute_type::xor_mapped_address, base::bytes{0, 3, 1, 2, 3, 4, 5, 6}); });
  });
  CHECK(r.error() == make_error_code(errc::missing_attribute));
}

TEST_CASE("MAPPED-ADDRESS serves where a server has no XOR-MAPPED-ADDRESS") {
  exchange x;
  const auto r = x.binding([](const message_view& m, const base::endpoint&) -> std::optional<base::bytes> {
    return respond(m, message_class::success, [](message_writer& w) { w.add(mapped_address{mapped}); });
  });
  REQUIRE(r);
  CHECK(r->mapped == mapped);
}

// req: 8489-6.3.4-a
TEST_CASE("an error response without ERROR-CODE is a failure") {
  exchange x;
  const auto r = x.binding([](const message_view& m, const base::endpoint&) -> std::optional<base::bytes> {
    return respond(m, message_class::error);
  });
  CHECK(r.error() == make_error_code(errc::missing_attribute));
  CHECK(x.requests.size() == 1);
}

// req: 8489-14.8-e
TEST_CASE("a refusal is reported with its code and not repeated") {
  for (const int code : {400, 403, 420, 699}) {
    exchange x;
    const auto r =
        x.binding([&](const message_view& m, const base::endpoint&) -> std::optional<base::bytes> { return refuse(m, code); });
    CHECK(r.error() == response_error(code));
    CHECK(x.requests.size() == 1);
  }
}

// req: 8489-6.3.4-c 8489-6.3.4-d
TEST_CASE("a server error is retried four times with new transactions, then reported") {
  exchange x;
  const auto r =
      x.binding([](const message_view& m, const base::endpoint&) -> std::optional<base::bytes> { return refuse(m, 500); });
  CHECK(r.error() == response_error(500));
  CHECK(x.requests.size() == 5);
  CHECK(x.request(0).transaction_id() != x.request(1).transaction_id());
}

// req: 8489-6.3.4-b
TEST_CASE("a redirection fails the request of a client that does not follow") {
  exchange x;
  const auto r = x.binding(
      [&](const message_view& m, const base::endpoint&) -> std::optional<base::bytes> {
        return refuse(m, 300, [&](message_writer& w) { w.add(alternate_server{x.second_server}); });
      },
      {.follow_redirects = false});
  CHECK(r.error() == make_error_code(errc::redirected));
}

// req: 8489-14.8-d
TEST_CASE("an unsigned redirection is as if it had never come") {
  exchange x;
  const auto r = x.binding(
      [&](const message_view& m, const base::endpoint&) -> std::optional<base::bytes> {
        return refuse(m, 300, [&](message_writer& w) { w.add(alternate_server{x.second_server}); });
      },
      {.rc = 2, .rm = 1});
  CHECK(r.error() == make_error_code(errc::unauthenticated));
  for (const auto& server : x.asked) CHECK(server == x.server);
}

// req: 8489-6.2-a
TEST_CASE("no more than ten requests are under way to one server") {
  exchange x;
  x.run(echo, {}, {}, [&](client& c) -> async::task<int> {
    co_await async::with_scope(async::at_end::join, [&](async::scope& s) -> async::task<> {
      for (int i = 0; i < 20; ++i) {
        s.spawn("one", [&c, &x]() -> async::task<> { CHECK(co_await c.binding(x.server)); });
      }
      co_return;
    });
    co_return 0;
  });
  CHECK(x.requests.size() == 20);
  // The first ten arrive together after 10 ms, the others when those have been answered.
  CHECK(std::ranges::count(x.arrivals, base::duration(10ms)) == 10);
  CHECK(std::ranges::count(x.arrivals, base::duration(30ms)) == 10);
}

// req: 8489-6.2.1-b 8489-6.2.1-f 8489-6.2.1-g 8489-6.2.1-e
TEST_CASE("the first time-out is 500 ms; the next transaction starts from what was learned, for ten minutes") {
  exchange x;
  const auto gap = [&](base::duration pause) {
    return x.run([](const message_view&, const base::endpoint&) -> std::optional<base::bytes> { return std::nullopt; },
                 {.rc = 2, .rm = 1}, {},
                 [&, pause](client& c) -> async::task<base::duration> {
                   co_await async::sleep_for(pause);
                   const auto before = x.arrivals.size();
                   CHECK_FALSE(co_await c.binding(x.server));
                   co_return x.arrivals[before + 1] - x.arrivals[before];
                 });
  };
  CHECK(gap(0ms) == 500ms);

  bool silent = false;
  const auto learned = [&](base::duration pause) {
    silent = false;
    return x.run(
        [&](const message_view& m, const base::endpoint& from) -> std::optional<base::bytes> {
          if (silent) return std::nullopt;
          return succeed(m, from);
        },
        {.rc = 2, .rm = 1}, {},
        [&, pause](client& c) -> async::task<base::duration> {
          CHECK(co_await c.binding(x.server));
          co_await async::sleep_for(pause);
          silent = true;
          const auto before = x.arrivals.size();
          CHECK_FALSE(co_await c.binding(x.server));
          co_return x.arrivals[before + 1] - x.arrivals[before];
        });
  };
  CHECK(learned(1s) == 60ms);  // 20 ms, and four times a variation of 10 ms
  CHECK(learned(601s) == 500ms);
}

// req: 8489-8.1-b 8489-8.1-c 8489-8.1-d
TEST_CASE("every address of a name is tried, both families, until one answers") {
  sim::network net{3};
  auto& a = net.add_host("a", {"192.0.2.1", "2001:db8::1"});
  auto& b = net.add_host("b", {"192.0.2.2"});
  net.add_name("stun.example", {*base::ip_address::parse("192.0.2.99"), *base::ip_address::parse("2001:db8::99"), b.address()});
  const auto uri = server_uri::parse("stun:stun.example");
  REQUIRE(uri);
  std::vector<std::string> asked;
  net.tap([&](const sim::packet_event& e) {
    if (e.what == sim::packet_event::moment::sent) asked.push_back(e.packet.destination.to_string());
  });
  const auto r = net.run(query_binding(a, *uri, {.rto = 10ms, .rc = 1, .rm = 1}));
  CHECK_FALSE(r);
  CHECK(asked == std::vector<std::string>{"192.0.2.99:3478", "[2001:db8::99]:3478", "192.0.2.2:3478"});
}

// req: 8489-6.2.1-j
TEST_CASE("a server's closed port ends the question at once, silence does not") {
  sim::network net(1);
  auto& a = net.add_host("client", {"192.0.2.1"});
  auto& b = net.add_host("server", {"192.0.2.2"});
  const auto took = [&] {
    return net.run([](net::host& a, base::endpoint server) -> async::task<std::pair<base::error, base::duration>> {
      const auto start = a.now();
      const auto r = co_await stun::query_binding(a, server);
      REQUIRE_FALSE(r);
      co_return std::pair(r.error(), a.now() - start);
    }(a, {b.address(), 3478}));
  };
  const auto [refused, soon] = took();
  CHECK(refused == base::errc::refused);
  CHECK(soon == 20ms);
  b.set_refuses(false);
  const auto [silent, late] = took();
  CHECK(silent == base::errc::timed_out);
  CHECK(late > 30s);
}
