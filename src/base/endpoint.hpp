// A transport address: IP address and port (RFC 8445 §4 calls the pair with its protocol a transport address).
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/ip_address.hpp"

namespace strata::base {

struct endpoint {
  ip_address address;
  std::uint16_t port = 0;

  // "192.0.2.1:3478", "[2001:db8::1]:3478"
  static std::optional<endpoint> parse(std::string_view text);
  [[nodiscard]] std::string to_string() const;

  friend auto operator<=>(const endpoint&, const endpoint&) = default;
};

// "host:port", "[v6]:port" or "host" split without resolving anything.
struct host_port {
  std::string host;
  std::optional<std::uint16_t> port;
  static std::optional<host_port> parse(std::string_view text);
};

std::optional<std::uint16_t> parse_port(std::string_view digits);  // 0–65535, digits only

}  // namespace strata::base

template <>
struct std::hash<strata::base::endpoint> {
  std::size_t operator()(const strata::base::endpoint& e) const noexcept {
    std::size_t h = 1469598103934665603u ^ e.port;
    for (auto octet : e.address.octets()) h = (h ^ octet) * 1099511628211u;
    return h;
  }
};
