#include "base/error.hpp"

namespace strata::base {
namespace {

class category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "net"; }
  std::string message(int value) const override {
    switch (static_cast<errc>(value)) {
      case errc::timed_out: return "timed out";
      case errc::closed: return "closed";
      case errc::refused: return "refused";
      case errc::unreachable: return "unreachable";
      case errc::in_use: return "address or name in use";
      case errc::not_found: return "not found";
      case errc::too_large: return "too large";
      case errc::would_block: return "queue full";
      case errc::permission: return "permission denied";
      case errc::unsupported: return "not supported";
      case errc::invalid: return "invalid";
    }
    return "unknown error " + std::to_string(value);
  }
};

}  // namespace

const std::error_category& base_category() noexcept {
  static const category instance;
  return instance;
}

std::string error::message() const {
  std::string text = std::string(code.category().name()) + ": " + code.message();
  if (offset != nowhere) text += " at byte " + std::to_string(offset);
  if (!expected.empty()) text += ", expected " + std::string(expected);
  return text;
}

}  // namespace strata::base
