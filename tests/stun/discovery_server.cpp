// A server of RFC 5780: from where it answers, to where, and what it refuses.
#include <doctest/doctest.h>

#include "async/async.hpp"
#include "sim/network.hpp"
#include "stun/attributes.hpp"
#include "stun/binding_server.hpp"
#include "stun/fingerprint.hpp"
#include "stun/message_writer.hpp"
#include "stun/query.hpp"

using namespace strata;
using namespace strata::stun;
using namespace std::chrono_literals;

namespace {

const transaction_id id{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
const auto from = *base::endpoint::parse("203.0.113.9:4000");
const discovery_place place{*base::endpoint::parse("192.0.2.2:3478"), *base::endpoint::parse("192.0.2.3:3479")};

using fill = std::function<void(message_writer&)>;

base::bytes binding(const fill& f = {}) {
  base::bytes out;
  message_writer w(out, {message_class::request, method::binding}, id);
  if (f) f(w);
  return out;
}

struct reply {
  discovery_answer answer;
  base::bytes bytes;
  [[nodiscard]] message_view message() const { return *message_view::parse(bytes); }
};

reply ask(const base::bytes& request) {
  reply r;
  r.answer = respond_discovery({}, place, request, from, r.bytes);
  return r;
}

// A server with four sockets and a client with two, for as long as `body` takes.
using conversation = std::function<async::task<>(net::udp_socket&, net::udp_socket&, binding_server&)>;

void with_server(binding_server_config config, conversation body) {
  sim::network net{1};
  auto& client = net.add_host("client", {"203.0.113.9"});
  auto& machine = net.add_host("server", {"192.0.2.2", "192.0.2.3"});
  net.run([](sim::host& c, sim::host& m, binding_server_config config, conversation body) -> async::task<> {
    binding_server server(m, config);
    auto sockets = discovery_sockets::bind(m, place.here, place.other);
    REQUIRE(sockets);
    const auto first = c.bind_udp({c.address(0), 4000}), second = c.bind_udp({c.address(0), 4001});
    co_await async::with_scope(async::at_end::cancel, [&](async::scope& s) -> async::task<> {
      s.spawn("serve", [&]() -> async::task<> { co_await server.serve_discovery(*sockets); });
      co_await body(**first, **second, server);
    });
  }(client, machine, config, std::move(body)));
}

struct heard {
  base::endpoint from;
  base::bytes bytes;
};

async::task<std::optional<heard>> listen(net::udp_socket& socket) {
  const auto got = co_await async::with_timeout(1s, socket.receive());
  if (!got) co_return std::nullopt;
  co_return heard{got->front().peer, base::to_bytes(got->front().payload)};
}

}  // namespace

// req: 5780-6.1-a 5780-6.1-g
TEST_CASE("an answer names the client twice, where it comes from, and the other address") {
  const auto r = ask(binding());
  CHECK(r.answer.verdict == responder_verdict::answered);
  CHECK(r.message().get<mapped_address>()->endpoint == from);
  CHECK(r.message().get<xor_mapped_address>()->endpoint == from);
  CHECK(r.message().get<response_origin>()->endpoint == place.here);
  CHECK(r.message().get<other_address>()->endpoint == place.other);
  CHECK_FALSE(r.message().has(attribute_type::padding));
}

// req: 5780-6.1-b 5780-6.1-c 5780-6.1-d 5780-6.1-e 5780-6.1-f 5780-6-a
TEST_CASE("the flags choose from which of the four sockets the answer comes, and RESPONSE-ORIGIN says which") {
  with_server({}, [](net::udp_socket& socket, net::udp_socket&, binding_server& server) -> async::task<> {
    for (const auto& asked : {"192.0.2.2:3478", "192.0.2.2:3479", "192.0.2.3:3478", "192.0.2.3:3479"}) {
      const auto to = *base::endpoint::parse(asked);
      const base::endpoint other{to.address == place.here.address ? place.other.address : place.here.address,
                                 to.port == place.here.port ? place.other.port : place.here.port};
      for (const bool ip : {false, true})
        for (const bool port : {false, true}) {
          CAPTURE(asked);
          CAPTURE(ip);
          CAPTURE(port);
          socket.send(to, binding([&](message_writer& w) { w.add(change_request{ip, port}); }));
          const auto got = co_await listen(socket);
          REQUIRE(got);
          const base::endpoint expected{ip ? other.address : to.address, port ? other.port : to.port};
          CHECK(got->from == expected);
          CHECK(message_view::parse(got->bytes)->get<response_origin>()->endpoint == expected);
          CHECK(message_view::parse(got->bytes)->get<other_address>()->endpoint == other);
        }
    }
    CHECK(server.counted().discovery_answered == 16);
  });
}

// req: 5780-7.5-a
TEST_CASE("RESPONSE-PORT sends the answer to another port of the same address, about the port that asked") {
  with_server({}, [](net::udp_socket& first, net::udp_socket& second, binding_server&) -> async::task<> {
    first.send(place.here, binding([](message_writer& w) { w.add(response_port{4001}); }));
    const auto got = co_await listen(second);
    REQUIRE(got);
    CHECK(got->from == place.here);
    CHECK(message_view::parse(got->bytes)->get<xor_mapped_address>()->endpoint == from);
  });
}

// req: 5780-6.1-h
TEST_CASE("PADDING is answered with as much of it") {
  for (const std::size_t size : {1u, 4u, 1500u, 9000u, 65000u}) {
    const base::bytes filler(size, 0xaa);
    const auto r = ask(binding([&](message_writer& w) { w.add(padding{filler}); }));
    CHECK(r.answer.verdict == responder_verdict::answered);
    CHECK(r.message().get<padding>()->bytes.size() == size);
    CHECK(r.message().get<padding>()->bytes[0] == 0);
  }
}

// req: 5780-7.6-a
TEST_CASE("PADDING never makes an IP datagram of more than 64 KiB") {
  base::bytes out;
  message_writer fits(out, {message_class::request, method::binding}, id);
  const base::bytes most(65535 - 60 - 8 - 20 - 4 - 3), over(most.size() + 1);
  fits.add(padding{most});
  CHECK(fits.status());
  CHECK(out.size() + 60 + 8 <= 65535);
  base::bytes none;
  message_writer refused(none, {message_class::request, method::binding}, id);
  refused.add(padding{over});
  CHECK_FALSE(refused.status());
}

// req: 5780-6.1-i
TEST_CASE("PADDING together with RESPONSE-PORT is a bad request") {
  const base::bytes filler(8);
  const auto r = ask(binding([&](message_writer& w) { w.add(padding{filler}).add(response_port{9}); }));
  CHECK(r.answer.verdict == responder_verdict::refused);
  CHECK(r.message().get<error_code>()->code == 400);
  CHECK(r.answer.to == from);
}

TEST_CASE("malformed wishes are bad requests, answered where they came from") {
  for (const auto type : {attribute_type::change_request, attribute_type::response_port})
    for (const std::size_t size : {0u, 2u, 5u, 8u}) {
      const base::bytes value(size, 1);
      const auto r = ask(binding([&](message_writer& w) { w.add(type, value); }));
      CHECK(r.message().get<error_code>()->code == 400);
      CHECK(r.answer.to == from);
    }
  CHECK(ask(binding([](message_writer& w) { w.add(response_port{0}); })).message().get<error_code>()->code == 400);
}

TEST_CASE("attributes that nobody knows are refused by a discovery server, too") {
  const auto r = ask(binding([](message_writer& w) { w.add(attribute_type{0x7ffe}, {}).add(change_request{true, true}); }));
  CHECK(r.message().get<error_code>()->code == 420);
  const auto list = *r.message().get<unknown_attributes>();
  REQUIRE(list.size() == 1);
  CHECK(list.at(0) == attribute_type{0x7ffe});
  CHECK_FALSE(r.answer.change_ip);
}

// req: 5780-3-a
TEST_CASE("a discovery server does not serve clients of RFC 3489, nor what is no request") {
  auto old = binding();
  old[4] = 0xaa;
  CHECK(ask(old).bytes.empty());
  base::bytes indication;
  message_writer w(indication, {message_class::indication, method::binding}, id);
  CHECK(ask(indication).answer.verdict == responder_verdict::not_a_request);
  auto fingerprinted = binding([](message_writer& m) { m.fingerprint(); });
  CHECK(check_fingerprint(ask(fingerprinted).message()) == fingerprint_check::valid);
  fingerprinted.back() ^= 1;
  CHECK(ask(fingerprinted).bytes.empty());
}

// req: 5780-6-c 5780-7.4-a
TEST_CASE("without two addresses and two ports there is no OTHER-ADDRESS") {
  sim::network net{1};
  auto& m = net.add_host("server", {"192.0.2.2", "192.0.2.3", "2001:db8::2"});
  for (const auto& [primary, alternate] : {std::pair{"192.0.2.2:3478", "192.0.2.2:3479"},
                                           {"192.0.2.2:3478", "192.0.2.3:3478"},
                                           {"192.0.2.2:3478", "[2001:db8::2]:3479"},
                                           {"0.0.0.0:3478", "192.0.2.3:3479"},
                                           {"192.0.2.2:3478", "192.0.2.99:3479"}})
    CHECK_FALSE(discovery_sockets::bind(m, *base::endpoint::parse(primary), *base::endpoint::parse(alternate)));
  const auto chosen = discovery_sockets::bind(m, *base::endpoint::parse("192.0.2.2:0"), *base::endpoint::parse("192.0.2.3:0"));
  REQUIRE(chosen);
  CHECK(chosen->at(0).local_endpoint().port == chosen->at(2).local_endpoint().port);
  base::bytes out;
  respond_binding({}, binding(), from, out);
  CHECK_FALSE(message_view::parse(out)->has(attribute_type::other_address));
}

TEST_CASE("beyond its budget a source gets bare answers, and none from elsewhere or to elsewhere") {
  with_server({.discovery_per_second = 1, .discovery_burst = 3},
              [](net::udp_socket& first, net::udp_socket& second, binding_server& server) -> async::task<> {
                for (int i = 0; i < 3; ++i) {
                  first.send(place.here, binding());
                  CHECK(message_view::parse((co_await listen(first))->bytes)->has(attribute_type::other_address));
                }
                const auto request = binding();
                first.send(place.here, request);
                const auto bare = co_await listen(first);
                REQUIRE(bare);
                CHECK_FALSE(message_view::parse(bare->bytes)->has(attribute_type::other_address));
                CHECK(bare->bytes.size() * 10 <= request.size() * 16);
                first.send(place.here, binding([](message_writer& w) { w.add(response_port{4001}); }));
                first.send(place.here, binding([](message_writer& w) { w.add(change_request{true, true}); }));
                CHECK_FALSE(co_await listen(second));
                CHECK(server.counted().discovery_answered == 3);
                CHECK(server.counted().discovery_limited == 3);
              });
}

TEST_CASE("a minute of requests from a forged address earns little more than it costs") {
  with_server({}, [](net::udp_socket& first, net::udp_socket&, binding_server& server) -> async::task<> {
    for (int second = 0; second < 60; ++second) {
      for (int i = 0; i < 100; ++i) first.send(place.here, binding());
      co_await async::sleep_for(1s);
    }
    CHECK(server.counted().sent_bytes * 10 <= server.counted().received_bytes * 19);
  });
}
