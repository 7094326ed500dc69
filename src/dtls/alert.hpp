// The names of alerts (RFC 5246 §7.2.2), for traces and error texts.
#pragma once

#include <cstdint>
#include <string_view>

namespace strata::dtls {

enum class alert_description : std::uint8_t {
  close_notify = 0,
  bad_certificate = 42,
  user_canceled = 90,
};

// "bad_certificate"; "unknown alert" for a number without a name.
[[nodiscard]] std::string_view alert_name(std::uint8_t description) noexcept;

}  // namespace strata::dtls
