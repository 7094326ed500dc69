#include "crypto/native.hpp"

#include <mbedtls/error.h>

#include <array>

#include "base/hex.hpp"

namespace strata::crypto {

int native_random(void* context, unsigned char* out, std::size_t size) {
  (*static_cast<const random_source*>(context))({out, size});
  return 0;
}

std::string native_error(int code) {
  std::array<char, 160> text{};
  mbedtls_strerror(code, text.data(), text.size());
  const unsigned positive = code < 0 ? static_cast<unsigned>(-code) : static_cast<unsigned>(code);
  const std::array<std::uint8_t, 2> octets{static_cast<std::uint8_t>(positive >> 8), static_cast<std::uint8_t>(positive)};
  return std::string(text.data()) + " (-0x" + base::to_hex(octets) + ")";
}

certificate::parts::parts() {
  mbedtls_x509_crt_init(&certificate);
  mbedtls_pk_init(&key);
}

certificate::parts::~parts() {
  mbedtls_x509_crt_free(&certificate);
  mbedtls_pk_free(&key);  // wipes the private key
}

}  // namespace strata::crypto
