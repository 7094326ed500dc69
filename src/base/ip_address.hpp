// An IPv4 or IPv6 address and the questions that protocols ask about it.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.hpp"

namespace strata::base {

enum class ip_family : std::uint8_t { v4, v6 };

class ip_address {
 public:
  ip_address() = default;  // 0.0.0.0
  static ip_address v4(std::uint32_t host_order) noexcept;
  static ip_address v4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d) noexcept;
  static ip_address v6(const std::array<std::uint8_t, 16>& octets, std::uint32_t scope_id = 0) noexcept;
  static ip_address any(ip_family family) noexcept;
  static ip_address loopback(ip_family family) noexcept;
  // Strict: dotted quad without leading zeros, or RFC 4291 text with an optional numeric %scope.
  static std::optional<ip_address> parse(std::string_view text);

  [[nodiscard]] ip_family family() const noexcept { return family_; }
  [[nodiscard]] bool is_v4() const noexcept { return family_ == ip_family::v4; }
  [[nodiscard]] bool is_v6() const noexcept { return family_ == ip_family::v6; }
  [[nodiscard]] std::uint32_t to_v4() const noexcept;  // host order; only for v4
  [[nodiscard]] byte_view octets() const noexcept { return {octets_.data(), is_v4() ? 4u : 16u}; }
  [[nodiscard]] std::uint32_t scope_id() const noexcept { return scope_id_; }
  [[nodiscard]] std::string to_string() const;

  [[nodiscard]] bool is_unspecified() const noexcept;
  [[nodiscard]] bool is_loopback() const noexcept;
  [[nodiscard]] bool is_link_local() const noexcept;  // 169.254/16, fe80::/10
  [[nodiscard]] bool is_private() const noexcept;     // RFC 1918, 100.64/10, fc00::/7
  [[nodiscard]] bool is_multicast() const noexcept;
  [[nodiscard]] bool is_v4_mapped() const noexcept;    // ::ffff:a.b.c.d
  [[nodiscard]] ip_address unmapped() const noexcept;  // the IPv4 address inside ::ffff:a.b.c.d, else itself

  friend auto operator<=>(const ip_address&, const ip_address&) = default;

 private:
  ip_family family_ = ip_family::v4;
  std::array<std::uint8_t, 16> octets_{};  // IPv4 in the first four
  std::uint32_t scope_id_ = 0;
};

}  // namespace strata::base
