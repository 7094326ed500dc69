// The long-term key of a meshd: what its peers recognise it by, whatever a registry says.
#pragma once

#include <string>

#include "crypto/signing_key.hpp"
#include "store/files.hpp"

namespace strata::mesh {

// The key in that directory, which is made (0700, the file 0600) when it is missing. A file that others may read is refused:
// its key may be known.
store::told<crypto::signing_key> kept_identity(const std::string& directory, const crypto::random_source& random);

// Thirty digits in groups of five, for two people to compare aloud: "01234 56789 …". Digits are the same in every language and
// hard to mishear; to find a second key with the same ones takes 2^99 attempts.
std::string spoken_fingerprint(const crypto::public_key& k);

}  // namespace strata::mesh
