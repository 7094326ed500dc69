#include "ice/error.hpp"

#include <string>

namespace strata::ice {
namespace {

class category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "ice"; }
  std::string message(int code) const override {
    switch (static_cast<errc>(code)) {
      case errc::malformed: return "malformed candidate";
      case errc::out_of_range: return "number out of range";
      case errc::unsupported_transport: return "unsupported transport";
      case errc::unsupported_type: return "unsupported candidate type";
      case errc::unsupported_address: return "unsupported address";
      case errc::end_of_candidates: return "end of candidates";
      case errc::not_for_us: return "candidate does not belong to this session";
      case errc::too_many: return "too many candidates";
      case errc::not_found: return "nobody answers for the name";
      case errc::failed: return "no candidate pair works";
      case errc::closed: return "the agent is closed";
    }
    return "unknown error";
  }
};

}  // namespace

const std::error_category& ice_category() noexcept {
  static const category instance;
  return instance;
}

}  // namespace strata::ice
