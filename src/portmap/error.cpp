#include "portmap/error.hpp"

#include <string>

namespace strata::portmap {
namespace {

class category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "portmap"; }
  std::string message(int code) const override {
    switch (static_cast<errc>(code)) {
      case errc::malformed: return "malformed message of a gateway";
      case errc::unsupported_version: return "the gateway does not speak this version";
      case errc::not_authorized: return "the gateway does not allow mappings";
      case errc::network_failure: return "the gateway has no outside address";
      case errc::no_resources: return "the gateway has no port left";
      case errc::unsupported: return "the gateway does not support that";
      case errc::address_mismatch: return "there is a NAT before the gateway";
      case errc::conflict: return "the outside port is taken";
      case errc::permanent_only: return "the gateway grants mappings without end only";
      case errc::no_gateway: return "no gateway is known";
      case errc::bad_address: return "not an address that can be mapped";
      case errc::too_many: return "too many mappings";
      case errc::refused: return "the gateway refuses";
    }
    return "unknown error";
  }
};

}  // namespace

const std::error_category& portmap_category() noexcept {
  static const category instance;
  return instance;
}

}  // namespace strata::portmap
