// Fingerprints as signaling carries them (RFC 8122, RFC 8842); made in crypto, checked here.
#pragma once

#include "crypto/fingerprint.hpp"

namespace strata::dtls {

using crypto::fingerprint;
using crypto::hash_function;
using crypto::parse_fingerprint;

}  // namespace strata::dtls
