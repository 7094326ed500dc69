#include "dtls/error.hpp"

#include <string>

namespace strata::dtls {
namespace {

class category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "dtls"; }
  std::string message(int code) const override {
    switch (static_cast<errc>(code)) {
      case errc::handshake_failed: return "handshake failed";
      case errc::fingerprint_mismatch: return "the peer's certificate does not match its signaled fingerprint";
      case errc::no_peer_certificate: return "the peer showed no certificate";
      case errc::fatal_alert: return "the peer sent a fatal alert";
      case errc::timed_out: return "the handshake timed out";
      case errc::closed: return "the association is closed";
    }
    return "unknown error";
  }
};

}  // namespace

const std::error_category& dtls_category() noexcept {
  static const category instance;
  return instance;
}

}  // namespace strata::dtls
