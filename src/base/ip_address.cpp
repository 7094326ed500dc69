#include "base/ip_address.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace strata::base {

ip_address ip_address::v4(std::uint32_t h) noexcept {
  return v4(static_cast<std::uint8_t>(h >> 24), static_cast<std::uint8_t>(h >> 16), static_cast<std::uint8_t>(h >> 8),
            static_cast<std::uint8_t>(h));
}

ip_address ip_address::v4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d) noexcept {
  ip_address r;
  r.octets_ = {a, b, c, d};
  return r;
}

ip_address ip_address::v6(const std::array<std::uint8_t, 16>& octets, std::uint32_t scope_id) noexcept {
  ip_address r;
  r.family_ = ip_family::v6;
  r.octets_ = octets;
  r.scope_id_ = scope_id;
  return r;
}

ip_address ip_address::any(ip_family family) noexcept { return family == ip_family::v4 ? ip_address() : v6({}); }

ip_address ip_address::loopback(ip_family family) noexcept {
  return family == ip_family::v4 ? v4(127, 0, 0, 1) : v6({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1});
}

std::optional<ip_address> ip_address::parse(std::string_view text) {
  if (text.empty() || text.size() > 64) return std::nullopt;
  std::uint32_t scope = 0;
  if (auto percent = text.find('%'); percent != text.npos) {
    auto digits = text.substr(percent + 1);
    auto [end, trouble] = std::from_chars(digits.data(), digits.data() + digits.size(), scope);
    if (trouble != std::errc() || end != digits.data() + digits.size() || digits.empty()) return std::nullopt;
    text = text.substr(0, percent);
  }
  const std::string terminated(text);
  std::array<std::uint8_t, 16> octets{};
  if (text.find(':') != text.npos) {
    if (inet_pton(AF_INET6, terminated.c_str(), octets.data()) != 1) return std::nullopt;
    return v6(octets, scope);
  }
  if (scope != 0 || inet_pton(AF_INET, terminated.c_str(), octets.data()) != 1) return std::nullopt;
  return v4(octets[0], octets[1], octets[2], octets[3]);
}

std::uint32_t ip_address::to_v4() const noexcept {
  return std::uint32_t{octets_[0]} << 24 | std::uint32_t{octets_[1]} << 16 | std::uint32_t{octets_[2]} << 8 | octets_[3];
}

std::string ip_address::to_string() const {
  char text[INET6_ADDRSTRLEN] = {};
  inet_ntop(is_v4() ? AF_INET : AF_INET6, octets_.data(), text, sizeof text);
  std::string s = text;
  if (scope_id_ != 0) s += "%" + std::to_string(scope_id_);
  return s;
}

bool ip_address::is_unspecified() const noexcept {
  return std::all_of(octets_.begin(), octets_.end(), [](auto o) { return o == 0; });
}

bool ip_address::is_loopback() const noexcept {
  if (is_v4()) return octets_[0] == 127;
  return std::equal(octets_.begin(), octets_.end(), loopback(ip_family::v6).octets_.begin());
}

bool ip_address::is_link_local() const noexcept {
  if (is_v4()) return octets_[0] == 169 && octets_[1] == 254;
  return octets_[0] == 0xfe && (octets_[1] & 0xc0) == 0x80;
}

bool ip_address::is_private() const noexcept {
  if (is_v6()) return (octets_[0] & 0xfe) == 0xfc;
  return octets_[0] == 10 || (octets_[0] == 172 && (octets_[1] & 0xf0) == 16) || (octets_[0] == 192 && octets_[1] == 168) ||
         (octets_[0] == 100 && (octets_[1] & 0xc0) == 64);
}

bool ip_address::is_multicast() const noexcept { return is_v4() ? (octets_[0] & 0xf0) == 0xe0 : octets_[0] == 0xff; }

bool ip_address::is_v4_mapped() const noexcept {
  static constexpr std::array<std::uint8_t, 12> prefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  return is_v6() && std::equal(prefix.begin(), prefix.end(), octets_.begin());
}

ip_address ip_address::unmapped() const noexcept {
  return is_v4_mapped() ? v4(octets_[12], octets_[13], octets_[14], octets_[15]) : *this;
}

}  // namespace strata::base
