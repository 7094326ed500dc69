// Relayed candidates. The relay of these tests is another host's socket, handed over as if by TURN.
#include <doctest/doctest.h>

#include "agents.hpp"
#include "far_relay.hpp"

namespace strata::ice::testing {
namespace {

struct two_homes {
  sim::network net{7};
  sim::host& a = net.add_host("a", {"192.0.2.1"});
  sim::host& b = net.add_host("b", {"192.0.2.2"});
  sim::host& r = net.add_host("r", {"198.51.100.1"});
};

async::task<> exchange(agent& a, agent& b) {
  inbox at_b(b);
  co_await both_completed(a, b);
  CHECK(a.send(base::as_bytes("over the relay")));
  co_await at_b.until(1);
  CHECK(at_b.received[0] == "over the relay");
}

}  // namespace

TEST_CASE("peers that cannot reach each other meet at a relay") {  // req: 8445-5.1.1.2-a
  two_homes w;
  w.net.partition(w.a, w.b);
  agent a(w.a, {.controlling = true, .relays = {source(w.r)}}), b(w.b, {});
  with_agents(w.net, a, b, [&]() -> async::task<> {
    co_await exchange(a, b);
    const auto pair = a.selected();
    REQUIRE(pair);
    CHECK(pair->local.type == candidate_type::relayed);
    CHECK(pair->local.address.address == w.r.address());
    CHECK(pair->local.related == base::endpoint{*base::ip_address::parse("203.0.113.9"), 4000});
    CHECK(far_socket::running == 1);
  });
  CHECK(far_socket::running == 0);
}

TEST_CASE("a direct path is preferred to a relay, whoever of them is faster") {
  two_homes w;
  agent a(w.a, {.controlling = true, .relays = {source(w.r, 0ms)}}), b(w.b, {.relays = {source(w.r, 0ms)}});
  with_agents(w.net, a, b, [&]() -> async::task<> {
    co_await exchange(a, b);
    CHECK(a.selected()->local.type == candidate_type::host);
    CHECK(a.selected()->remote.type == candidate_type::host);
  });
}

TEST_CASE("with the policy relay nobody learns another address than the relay's") {
  two_homes w;
  w.net.tap([&](const sim::packet_event& e) {
    if (e.what == sim::packet_event::moment::sent && e.packet.source.address == w.a.address())
      CHECK(e.packet.destination.address != w.b.address());
  });
  agent a(w.a, {.controlling = true, .policy = candidate_policy::relay, .relays = {source(w.r)}}), b(w.b, {});
  with_agents(w.net, a, b, [&]() -> async::task<> {
    co_await exchange(a, b);
    REQUIRE(a.local_candidates().size() == 1);
    CHECK(format(a.local_candidates()[0]).find("raddr 0.0.0.0 rport 9") != std::string::npos);
  });
}

TEST_CASE("with the policy host no server is asked for anything") {
  two_homes w;
  w.net.tap([&](const sim::packet_event& e) { CHECK(e.packet.destination.address != w.r.address()); });
  agent a(w.a, {.controlling = true,
                .policy = candidate_policy::host,
                .stun_servers = {{w.r.address(), 3478}},
                .relays = {source(w.r)}}),
      b(w.b, {});
  with_agents(w.net, a, b, [&]() -> async::task<> {
    co_await exchange(a, b);
    CHECK(a.local_candidates().size() == 1);
  });
}

TEST_CASE("a relay that never answers costs no set-up time") {
  const auto time_to_connect = [](std::vector<relay_source> relays) {
    two_homes w;
    for (auto& r : relays) r = source(w.r, 1h);
    agent a(w.a, {.controlling = true, .relays = relays}), b(w.b, {});
    base::duration taken{};
    with_agents(w.net, a, b, [&]() -> async::task<> {
      const auto began = w.net.now();
      CHECK(co_await a.connected());
      taken = w.net.now() - began;
    });
    return taken;
  };
  CHECK(time_to_connect({}) == time_to_connect({relay_source{}}));
}

TEST_CASE("relays are preferred in the order they are named") {  // req: 8445-5.1.2.2-b
  two_homes w;
  auto& second = w.net.add_host("second", {"198.51.100.2"});
  agent a(w.a, {.controlling = true, .relays = {source(w.r, 50ms), source(second, 10ms)}}), b(w.b, {});
  with_agents(w.net, a, b, [&]() -> async::task<> {
    co_await a.gathered();
    std::uint32_t first_priority = 0, second_priority = 0;
    for (const auto& c : a.local_candidates()) {
      if (c.address.address == w.r.address()) first_priority = c.priority;
      if (c.address.address == second.address()) second_priority = c.priority;
    }
    CHECK(first_priority > second_priority);
    CHECK(second_priority > 0);
  });
}

TEST_CASE("a relayed candidate that is an address of ours already is discarded") {  // req: 8445-5.1.1.2-g
  class own_address final : public relay {
   public:
    explicit own_address(base::endpoint e) : socket_(e) {}
    net::udp_socket& socket() override { return socket_; }
    [[nodiscard]] base::endpoint mapped() const override { return socket_.local_endpoint(); }
    [[nodiscard]] base::endpoint server() const override { return socket_.local_endpoint(); }
    void permit(const base::ip_address&) override {}
    async::task<> run() override { co_return; }

   private:
    struct silent_socket final : net::udp_socket {
      explicit silent_socket(base::endpoint e) : local(e) {}
      [[nodiscard]] base::endpoint local_endpoint() const override { return local; }
      [[nodiscard]] async::task<net::result<std::span<const net::datagram>>> receive() override {
        co_await async::sleep_for(1000h);
        co_return base::fail(base::errc::closed);
      }
      bool send(const base::endpoint&, base::byte_view) override { return true; }
      [[nodiscard]] std::size_t queued_bytes() const override { return 0; }
      [[nodiscard]] const net::udp_counters& counters() const override { return none; }
      base::endpoint local;
      net::udp_counters none;
    } socket_;
  };
  two_homes w;
  agent* self = nullptr;
  relay_source mirror{"mirror", [&self](async::scope&) -> async::task<base::result<std::unique_ptr<relay>>> {
                        co_await async::sleep_for(10ms);
                        co_return std::make_unique<own_address>(self->local_candidates().front().address);
                      }};
  agent a(w.a, {.controlling = true, .relays = {mirror}}), b(w.b, {});
  self = &a;
  with_agents(w.net, a, b, [&]() -> async::task<> {
    co_await exchange(a, b);
    CHECK(a.local_candidates().size() == 1);
    CHECK(a.local_candidates().front().type == candidate_type::host);
  });
}

TEST_CASE("permissions are asked for as soon as the peer's candidates are known") {
  two_homes w;
  far_socket::permitted.clear();
  agent a(w.a, {.controlling = true, .relays = {source(w.r)}}), b(w.b, {});
  with_agents(w.net, a, b, [&]() -> async::task<> {
    co_await exchange(a, b);
    CHECK(std::ranges::find(far_socket::permitted, w.b.address()) != far_socket::permitted.end());
  });
}

}  // namespace strata::ice::testing
