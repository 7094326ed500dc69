// Two peer connections on two simulated hosts.
#pragma once

#include <doctest/doctest.h>

#include "async/async.hpp"
#include "rtc/peer_connection.hpp"
#include "sim/network.hpp"

namespace strata::rtc::testing {

using namespace std::chrono_literals;

inline dtls::certificate certificate_of(net::host& h) {
  return dtls::certificate::generate([&h](base::byte_span out) { h.random(out); }, h.wall_now());
}

// Two connections on two hosts, with the signaling in between left to the test.
struct two_peers {
  explicit two_peers(std::uint64_t seed = 1, sim::impairments path = {.latency = 20ms}, rtc::options o = {})
      : net(seed), options(std::move(o)) {
    net.link(ha, hb, path);
  }
  sim::network net;
  rtc::options options;
  sim::host& ha = net.add_host("a", {"192.0.2.1"});
  sim::host& hb = net.add_host("b", {"192.0.2.2"});
  rtc::peer_connection a{ha, certificate_of(ha), options, {}};
  rtc::peer_connection b{hb, certificate_of(hb), options, {}};

  template <class F>
  void run(F body) {
    net.run([](two_peers& self, F f) -> async::task<> {
      co_await async::with_scope(async::at_end::join, [&](async::scope& s) -> async::task<> {
        s.spawn("a", [&self] { return self.a.run(); });
        s.spawn("b", [&self] { return self.b.run(); });
        co_await f();
        self.a.close();
        self.b.close();
      });
    }(*this, std::move(body)));
  }

  async::task<> negotiate() {
    auto offer = co_await a.create_offer();
    REQUIRE(offer);
    auto answer = co_await b.accept_offer(*offer);
    REQUIRE(answer);
    REQUIRE(a.accept_answer(*answer));
  }
};

}  // namespace strata::rtc::testing
