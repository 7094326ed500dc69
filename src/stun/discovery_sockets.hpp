// The four sockets of a server of RFC 5780 §6: two addresses, the same two ports on each.
#pragma once

#include <array>
#include <cstddef>
#include <memory>

#include "base/endpoint.hpp"
#include "base/result.hpp"
#include "net/host.hpp"
#include "stun/discovery_responder.hpp"

namespace strata::stun {

class discovery_sockets {
 public:
  // The addresses are those that clients see, of one family, and differ, as the ports do: base::errc::invalid otherwise.
  // Without that a server has no alternate address and says so by leaving OTHER-ADDRESS out. Errors of bind_udp as well.
  [[nodiscard]] static base::result<discovery_sockets> bind(net::host& h, const base::endpoint& primary,
                                                            const base::endpoint& alternate);

  // By number: one bit is the address, the other the port, so changing is exclusive or.
  static constexpr std::size_t count = 4, primary = 0;
  [[nodiscard]] static constexpr std::size_t changed(std::size_t from, bool ip, bool port) noexcept {
    return from ^ ((ip ? 2u : 0u) | (port ? 1u : 0u));
  }
  [[nodiscard]] net::udp_socket& at(std::size_t n) const { return *sockets_[n]; }
  [[nodiscard]] discovery_place place(std::size_t n) const {
    return {sockets_[n]->local_endpoint(), sockets_[changed(n, true, true)]->local_endpoint()};
  }

 private:
  std::array<std::unique_ptr<net::udp_socket>, count> sockets_;
};

}  // namespace strata::stun
