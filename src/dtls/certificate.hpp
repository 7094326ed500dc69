// The certificate a DTLS endpoint shows; made in crypto, used here.
#pragma once

#include "crypto/certificate.hpp"

namespace strata::dtls {

using crypto::certificate;
using crypto::certificate_options;

}  // namespace strata::dtls
