#include "crypto/error.hpp"

namespace strata::crypto {
namespace {

class category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "crypto"; }
  std::string message(int code) const override {
    switch (static_cast<errc>(code)) {
      case errc::malformed_fingerprint: return "malformed fingerprint";
      case errc::unknown_hash: return "unknown or forbidden hash function";
      case errc::wrong_digest_length: return "the digest's length does not fit its hash function";
      case errc::malformed_certificate: return "malformed certificate";
      case errc::malformed_key: return "malformed private key";
      case errc::malformed_public_key: return "malformed public key";
      case errc::key_mismatch: return "the private key does not belong to the certificate";
    }
    return "unknown error";
  }
};

}  // namespace

const std::error_category& crypto_category() noexcept {
  static const category instance;
  return instance;
}

}  // namespace strata::crypto
