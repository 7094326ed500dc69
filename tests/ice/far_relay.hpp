// A relay without TURN: another host's socket, handed over as if by a server.
#pragma once

#include <memory>
#include <vector>

#include "async/async.hpp"
#include "ice/relay.hpp"
#include "sim/network.hpp"

namespace strata::ice::testing {

using namespace std::chrono_literals;

// Bound to the relay's host: whoever holds it speaks from there.
class far_socket final : public relay {
 public:
  far_socket(sim::host& at, base::endpoint mapped) : at_(at), mapped_(mapped) { socket_ = *at.bind_udp({at.address(), 0}); }
  net::udp_socket& socket() override { return *socket_; }
  [[nodiscard]] base::endpoint mapped() const override { return mapped_; }
  [[nodiscard]] base::endpoint server() const override { return {at_.address(), 3478}; }
  void permit(const base::ip_address& peer) override { permitted.push_back(peer); }
  async::task<> run() override {
    struct counted {
      counted() { ++running; }
      ~counted() { --running; }
    } const here;
    co_await async::sleep_for(1000h);
  }
  static inline int running = 0;
  static inline std::vector<base::ip_address> permitted;

 private:
  sim::host& at_;
  base::endpoint mapped_;
  std::unique_ptr<net::udp_socket> socket_;
};

inline relay_source source(sim::host& at, base::duration takes = 30ms) {
  return {"relay on " + at.name(), [&at, takes](async::scope&) -> async::task<base::result<std::unique_ptr<relay>>> {
            co_await async::sleep_for(takes);
            co_return std::make_unique<far_socket>(at, base::endpoint{*base::ip_address::parse("203.0.113.9"), 4000});
          }};
}

}  // namespace strata::ice::testing
