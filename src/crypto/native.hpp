// For the folders that talk to mbedTLS themselves (dtls, TLS over a stream): the one place where its types meet ours.
// No public header includes this.
#pragma once

#include <mbedtls/pk.h>
#include <mbedtls/x509_crt.h>

#include <string>

#include "base/bytes.hpp"
#include "crypto/certificate.hpp"

namespace strata::crypto {

// An mbedTLS random callback; `context` is a const random_source. The source cannot fail.
int native_random(void* context, unsigned char* out, std::size_t size);

// "X509 - The certificate is malformed (-0x2180)".
std::string native_error(int code);

struct certificate::parts {
  parts();
  ~parts();
  parts(const parts&) = delete;
  parts& operator=(const parts&) = delete;

  mbedtls_x509_crt certificate;
  mbedtls_pk_context key;
};

}  // namespace strata::crypto
