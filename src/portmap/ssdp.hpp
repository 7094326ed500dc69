// Finding a UPnP gateway: one question over UDP to port 1900, answered with the URL of a description (UPnP Device Architecture
// 1.1 §1.3). Questions and answers are heads of HTTP.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/ip_address.hpp"
#include "base/result.hpp"
#include "http/url.hpp"
#include "portmap/error.hpp"

namespace strata::portmap::ssdp {

inline constexpr std::uint16_t port = 1900;
[[nodiscard]] base::ip_address group() noexcept;  // 239.255.255.250

inline constexpr std::string_view gateway_1 = "urn:schemas-upnp-org:device:InternetGatewayDevice:1";
inline constexpr std::string_view gateway_2 = "urn:schemas-upnp-org:device:InternetGatewayDevice:2";

// MX, how long a device may wait before it answers, is one second, the least there is.
[[nodiscard]] base::bytes search(std::string_view target);

struct answer {
  std::string target;  // what has answered
  http::url location;  // of its description
  friend bool operator==(const answer&, const answer&) = default;
};

// Only what a gateway answers about itself: the URL is http, and its host is the address literal that the answer came from.
// Anything else would let whoever is on the link send this program to places of their choice.
[[nodiscard]] base::result<answer> read_answer(base::byte_view datagram, const base::ip_address& from);

}  // namespace strata::portmap::ssdp
