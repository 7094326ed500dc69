// Clients over TCP and TLS, and the sockets behind allocations.
#include <doctest/doctest.h>
#include <stdlib.h>
#include <unistd.h>

#include <cstdlib>

#include "async/async.hpp"
#include "net/asio_host.hpp"
#include "sim/network.hpp"
#include "stun/channel_data.hpp"
#include "stun/stream_framer.hpp"
#include "turn/server/relay_server.hpp"
#include "turn_messages.hpp"

using namespace strata;
using namespace strata::test;
using namespace std::chrono_literals;
namespace server = strata::turn::server;

namespace {

using stun::method;

struct world {
  sim::network net{11};
  sim::host& client = net.add_host("client", {"192.0.2.1"});
  sim::host& peer = net.add_host("peer", {"192.0.2.2"});
  sim::host& relay = net.add_host("relay", {"192.0.2.9"});
  server::config config = [this] {
    server::config c;
    c.udp = c.tcp = {{relay.address(), 3478}};
    c.relay = {{relay.address()}};
    c.users["alice"] = "secret";
    c.peers = server::peer_policy::everything();
    return c;
  }();
};

// A client on a stream: whole messages in and out.
struct stream_client {
  std::unique_ptr<net::stream> stream;
  stun::stream_framer framer{};
  base::bytes buffer = base::bytes(4096);

  async::task<base::bytes> next() {
    for (;;) {
      const auto frame = framer.next();
      REQUIRE(frame);
      if (*frame) co_return base::to_bytes((*frame)->bytes);
      const auto count = co_await stream->read(buffer);
      if (!count || *count == 0) co_return base::bytes();
      framer.append(base::byte_view(buffer).first(*count));
    }
  }
  async::task<base::bytes> ask(base::bytes message) {
    CHECK(co_await stream->write(message));
    co_return co_await next();
  }
  async::task<login> log_in() {
    const auto answer = co_await ask(request(method::allocate, udp));
    CHECK(code_of(answer) == 401);
    const auto m = *stun::message_view::parse(answer);
    co_return login{"alice", "secret", std::string(m.get<stun::realm>()->text), std::string(m.get<stun::nonce>()->text)};
  }
};

// Allocates, binds a channel, and sends something there and back.
async::task<> talk(stream_client& c, net::udp_socket& peer) {
  const auto who = co_await c.log_in();
  const auto allocated = co_await c.ask(request(method::allocate, udp, who));
  REQUIRE(code_of(allocated) == 0);
  const auto relayed = stun::message_view::parse(allocated)->get<stun::xor_relayed_address>()->endpoint;
  CHECK(code_of(co_await c.ask(request(method::channel_bind, channel(0x4000, peer.local_endpoint()), who))) == 0);
  // Two messages in one piece, one of them padded.
  base::bytes both;
  stun::write_channel_data(both, 0x4000, base::as_bytes("odd"), true);
  base::append(both, send_indication(peer.local_endpoint(), "even"));
  CHECK(co_await c.stream->write(both));
  std::string heard;
  while (heard.size() < 7) {
    const auto batch = co_await peer.receive();
    REQUIRE(batch);
    for (const auto& d : *batch) heard += base::as_text(d.payload);
  }
  CHECK(heard == "oddeven");
  peer.send(relayed, base::as_bytes("abcde"));
  const auto data = co_await c.next();
  const auto parsed = stun::channel_data::parse(data);
  REQUIRE(parsed);
  CHECK(base::as_text(parsed->data) == "abcde");
}

}  // namespace

// req: 8656-5-o 8656-12.5-a
TEST_CASE("a client on TCP has an allocation as long as it has its connection") {
  world w;
  w.net.run([](world& w) -> async::task<> {
    server::relay_server relay(w.relay, w.config);
    REQUIRE(relay.listen());
    co_await async::with_scope(async::at_end::cancel, [&](async::scope& s) -> async::task<> {
      s.spawn("relay", [&relay] { return relay.run(); });
      const auto peer = *w.peer.bind_udp({w.peer.address(), 0});
      stream_client c{*co_await w.client.connect_tcp(relay.tcp_endpoints().front())};
      co_await talk(c, *peer);
      // Quiet, but in use: it stays for as long as the allocation.
      co_await async::sleep_for(500s);
      CHECK(relay.allocations() == 1);
      c.stream->close();
      co_await async::sleep_for(1s);
      CHECK(relay.allocations() == 0);
      CHECK(relay.counted().released == 1);
    });
  }(w));
}

TEST_CASE("a connection without allocation is closed after a while, and so is one that speaks something else") {
  world w;
  w.config.connections_of_one_address = 2;
  w.net.run([](world& w) -> async::task<> {
    server::relay_server relay(w.relay, w.config);
    REQUIRE(relay.listen());
    const auto to = relay.tcp_endpoints().front();
    co_await async::with_scope(async::at_end::cancel, [&](async::scope& s) -> async::task<> {
      s.spawn("relay", [&relay] { return relay.run(); });
      base::bytes buffer(100);
      stream_client idle{*co_await w.client.connect_tcp(to)};
      const auto who = co_await idle.log_in();
      const auto before = w.client.now();
      auto end = co_await idle.stream->read(buffer);
      CHECK((!end || *end == 0));
      CHECK(w.client.now() - before >= 30s);
      CHECK(w.client.now() - before < 31s);

      stream_client web{*co_await w.client.connect_tcp(to)};
      CHECK(co_await web.stream->write(base::as_bytes("\xff\xffGET / HTTP/1.1\r\n\r\n")));
      const auto asked = w.client.now();
      end = co_await web.stream->read(buffer);
      CHECK((!end || *end == 0));
      CHECK(w.client.now() - asked < 1s);

      // Two of one address, and no third one.
      stream_client first{*co_await w.client.connect_tcp(to)}, second{*co_await w.client.connect_tcp(to)},
          third{*co_await w.client.connect_tcp(to)};
      end = co_await third.stream->read(buffer);
      CHECK((!end || *end == 0));
      CHECK(relay.counted().connections_refused == 1);
      (void)co_await first.log_in();
      (void)co_await second.log_in();
    });
  }(w));
}

TEST_CASE("a connection that TCP has given up is over, though its allocation could live on") {
  world w;
  w.net.run([](world& w) -> async::task<> {
    server::relay_server relay(w.relay, w.config);
    REQUIRE(relay.listen());
    co_await async::with_scope(async::at_end::cancel, [&](async::scope& s) -> async::task<> {
      s.spawn("relay", [&relay] { return relay.run(); });
      const auto peer = *w.peer.bind_udp({w.peer.address(), 0});
      stream_client c{*co_await w.client.connect_tcp(relay.tcp_endpoints().front())};
      const auto who = co_await c.log_in();
      const auto for_an_hour = [](stun::message_writer& m) {
        udp(m);
        m.add(stun::lifetime{3600});
      };
      const auto allocated = co_await c.ask(request(method::allocate, for_an_hour, who));
      REQUIRE(code_of(allocated) == 0);
      const auto relayed = stun::message_view::parse(allocated)->get<stun::xor_relayed_address>()->endpoint;
      CHECK(code_of(co_await c.ask(request(method::channel_bind, channel(0x4000, peer->local_endpoint()), who))) == 0);
      // The client's network is gone without a word, and there is something to be told to it.
      w.net.partition(w.client, w.relay);
      peer->send(relayed, base::as_bytes("are you there?"));
      co_await async::sleep_for(30min);
      CHECK(relay.allocations() == 0);
    });
  }(w));
}

TEST_CASE("an allocation whose time is over gives its port back") {
  world w;
  w.config.first_port = w.config.last_port = 50'000;
  w.net.run([](world& w) -> async::task<> {
    server::relay_server relay(w.relay, w.config);
    REQUIRE(relay.listen());
    co_await async::with_scope(async::at_end::cancel, [&](async::scope& s) -> async::task<> {
      s.spawn("relay", [&relay] { return relay.run(); });
      stream_client c{*co_await w.client.connect_tcp(relay.tcp_endpoints().front())};
      const auto who = co_await c.log_in();
      CHECK(code_of(co_await c.ask(request(method::allocate, udp, who))) == 0);
      CHECK_FALSE(w.relay.bind_udp({w.relay.address(), 50'000}));
      stream_client other{*co_await w.client.connect_tcp(relay.tcp_endpoints().front())};
      const auto second = co_await other.log_in();
      CHECK(code_of(co_await other.ask(request(method::allocate, udp, second))) == 508);
      co_await async::sleep_for(601s);
      CHECK(relay.allocations() == 0);
      CHECK(relay.counted().expired == 1);
      CHECK(w.relay.bind_udp({w.relay.address(), 50'000}));
    });
  }(w));
}

// req: 8656-6-c 8656-7.2-q 8656-7.2-s 8656-7.2-t 8656-7.2-u
TEST_CASE("ports are of the range, even where that was asked for, drawn by lot and never given twice") {
  const auto draw = [](std::uint64_t seed, bool even) {
    sim::network net{seed};
    auto& client = net.add_host("client", {"192.0.2.1"});
    auto& machine = net.add_host("relay", {"192.0.2.9"});
    server::config c;
    c.udp = {{machine.address(), 3478}};
    c.relay = {{machine.address()}};
    c.users["alice"] = "secret";
    c.limits.allocations_of_one_user = 100;
    std::vector<std::uint16_t> ports;
    net.run([](sim::host& client, sim::host& machine, server::config c, bool even,
               std::vector<std::uint16_t>& ports) -> async::task<> {
      server::relay_server relay(machine, c);
      REQUIRE(relay.listen());
      const auto to = relay.udp_endpoints().front();
      co_await async::with_scope(async::at_end::cancel, [&](async::scope& s) -> async::task<> {
        s.spawn("relay", [&relay] { return relay.run(); });
        for (std::uint16_t i = 0; i < 50; ++i) {
          const auto mine = *client.bind_udp({client.address(), static_cast<std::uint16_t>(5000 + i)});
          mine->send(to, request(method::allocate, udp));
          auto answer = base::to_bytes((*co_await mine->receive()).front().payload);
          const auto m = *stun::message_view::parse(answer);
          const login who{"alice", "secret", "strata", std::string(m.get<stun::nonce>()->text)};
          mine->send(to, request(
                             method::allocate,
                             [even](stun::message_writer& w) {
                               udp(w);
                               if (even) w.add(stun::even_port{});
                             },
                             who));
          answer = base::to_bytes((*co_await mine->receive()).front().payload);
          REQUIRE(code_of(answer) == 0);
          ports.push_back(stun::message_view::parse(answer)->get<stun::xor_relayed_address>()->endpoint.port);
        }
      });
    }(client, machine, c, even, ports));
    return ports;
  };
  auto some = draw(1, false), others = draw(2, false), even = draw(3, true);
  CHECK(some != others);
  for (const auto p : even) CHECK(p % 2 == 0);
  for (auto* list : {&some, &others, &even}) {
    for (const auto p : *list) CHECK(p >= 49152);
    std::ranges::sort(*list);
    CHECK(std::ranges::adjacent_find(*list) == list->end());
    CHECK(list->back() - list->front() > 8000);
  }
}

TEST_CASE("behind a one-to-one NAT two clients of the relay meet at its announced address") {
  world w;
  const auto outside = base::ip_address::v4(198, 51, 100, 1);
  w.config.relay = {{w.relay.address(), outside}};
  w.net.run([](world& w, base::ip_address outside) -> async::task<> {
    server::relay_server relay(w.relay, w.config);
    REQUIRE(relay.listen());
    co_await async::with_scope(async::at_end::cancel, [&](async::scope& s) -> async::task<> {
      s.spawn("relay", [&relay] { return relay.run(); });
      stream_client a{*co_await w.client.connect_tcp(relay.tcp_endpoints().front())};
      stream_client b{*co_await w.peer.connect_tcp(relay.tcp_endpoints().front())};
      const auto alice = co_await a.log_in(), bob = co_await b.log_in();
      const auto one = co_await a.ask(request(method::allocate, udp, alice));
      const auto two = co_await b.ask(request(method::allocate, udp, bob));
      const auto at_a = stun::message_view::parse(one)->get<stun::xor_relayed_address>()->endpoint;
      const auto at_b = stun::message_view::parse(two)->get<stun::xor_relayed_address>()->endpoint;
      CHECK(at_a.address == outside);
      CHECK(code_of(co_await a.ask(request(method::create_permission, towards({at_b}), alice))) == 0);
      CHECK(code_of(co_await b.ask(request(method::create_permission, towards({at_a}), bob))) == 0);
      CHECK(co_await a.stream->write(send_indication(at_b, "inside")));
      const auto got = co_await b.next();
      const auto m = *stun::message_view::parse(got);
      CHECK(base::as_text(m.get<stun::data>()->bytes) == "inside");
      CHECK(m.get<stun::xor_peer_address>()->endpoint == at_a);
    });
  }(w, outside));
}

// req: 8656-5-o
TEST_CASE("a client on TLS is served as one on TCP") {
  char name[] = "/tmp/strata-turn-XXXXXX";
  const std::string dir = ::mkdtemp(name);
  const std::string make = "cd " + dir +
                           " && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=turn "
                           "-addext subjectAltName=DNS:turn.example -keyout key.pem -out cert.pem >/dev/null 2>&1";
  if (std::system(make.c_str()) != 0) {
    MESSAGE("SKIP: no openssl command to make certificates with");
    return;
  }
  net::asio_host h;
  const auto home = base::ip_address::loopback(base::ip_family::v4);
  server::config c;
  c.tls = {{home, 0}};
  c.identity = *net::load_tls_identity(h, dir + "/cert.pem", dir + "/key.pem");
  c.relay = {{home}};
  c.users["alice"] = "secret";
  c.peers.allowed = {*server::address_prefix::parse("127.0.0.0/8")};
  h.run([](net::asio_host& h, server::config c, std::string trust) -> async::task<> {
    server::relay_server relay(h, c);
    REQUIRE(relay.listen());
    co_await async::with_scope(async::at_end::cancel, [&](async::scope& s) -> async::task<> {
      s.spawn("relay", [&relay] { return relay.run(); });
      const auto peer = *h.bind_udp({c.relay.front().bind, 0});
      auto raw = co_await h.connect_tcp(relay.tls_endpoints().front());
      REQUIRE(raw);
      auto secure = co_await net::tls_connect(h, std::move(*raw), {.server_name = "turn.example", .trust_file = trust});
      REQUIRE(secure);
      stream_client client{std::move(*secure)};
      co_await talk(client, *peer);
      CHECK(relay.allocations() == 1);
    });
  }(h, c, dir + "/cert.pem"));
  for (const char* f : {"/cert.pem", "/key.pem"}) ::unlink((dir + f).c_str());
  ::rmdir(dir.c_str());
}

TEST_CASE("a configuration that makes no sense is refused before anything is bound") {
  world w;
  auto c = w.config;
  c.relay.clear();
  CHECK(server::relay_server(w.relay, c).listen().error() == base::errc::invalid);
  c = w.config;
  c.tls = {{w.relay.address(), 5349}};
  CHECK(server::relay_server(w.relay, c).listen().error() == base::errc::invalid);
  c = w.config;
  c.udp.push_back(c.udp.front());
  CHECK(server::relay_server(w.relay, c).listen().error() == base::errc::in_use);
}
