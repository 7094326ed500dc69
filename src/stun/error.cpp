#include "stun/error.hpp"

#include <string>

#include "stun/registry.hpp"

namespace strata::stun {
namespace {

class category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "stun"; }
  std::string message(int code) const override {
    switch (static_cast<errc>(code)) {
      case errc::too_short: return "shorter than a STUN header";
      case errc::not_stun: return "not a STUN message";
      case errc::bad_cookie: return "wrong magic cookie";
      case errc::unaligned_length: return "message length is not a multiple of four";
      case errc::length_mismatch: return "message length does not match the data";
      case errc::truncated_attribute: return "attribute reaches past the end of the message";
      case errc::misplaced_fingerprint: return "FINGERPRINT is not the last attribute";
      case errc::bad_attribute_length: return "wrong attribute length";
      case errc::bad_address_family: return "unknown address family";
      case errc::bad_value: return "attribute value out of range";
      case errc::missing_attribute: return "attribute is missing";
      case errc::too_long: return "too long to be sent";
      case errc::bad_fingerprint: return "FINGERPRINT does not match";
      case errc::bad_integrity: return "message integrity does not match";
      case errc::unauthenticated: return "message is not authenticated";
      case errc::bid_down: return "the list of password algorithms was stripped";
      case errc::no_common_algorithm: return "no common password algorithm";
      case errc::bad_credentials: return "credentials refused";
      case errc::unknown_attribute: return "response with unknown comprehension-required attributes";
      case errc::redirected: return "redirected to another server";
      case errc::redirect_loop: return "redirected in a circle";
      case errc::busy: return "too many transactions";
    }
    return "unknown error " + std::to_string(code);
  }
};

class responses final : public std::error_category {
 public:
  const char* name() const noexcept override { return "stun response"; }
  std::string message(int code) const override {
    const auto reason = reason_phrase(code);
    return std::to_string(code) + (reason.empty() ? std::string() : " " + std::string(reason));
  }
};

}  // namespace

const std::error_category& stun_category() noexcept {
  static const category instance;
  return instance;
}

const std::error_category& response_category() noexcept {
  static const responses instance;
  return instance;
}

}  // namespace strata::stun
