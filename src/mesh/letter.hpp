// Frames that go through the registry's task queue (tier 3): the payload of a task in a peer's mailbox.
//
//   {"strata": 1, "frames": a bundle, "key": base64 of the public key, "signature": base64 of r and s}
//
// The signature covers, each with its length before it, a label with the version, both peer ids and the bundle. The registry
// can read a letter, hold it back and hand it over twice (what comes twice is known by its sequence), and can change nothing
// in it once the key is known.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/json.hpp"
#include "crypto/signing_key.hpp"
#include "mesh/signed_offer.hpp"

namespace strata::mesh {

// Without a key it is not signed.
base::json seal(std::string_view from, std::string_view to, std::span<const base::bytes> frames,
                const std::optional<crypto::signing_key>& key);

struct opened_letter {
  verdict what = verdict::malformed;  // of those about offers, the ones that make sense here
  std::vector<base::bytes> frames;    // none unless the verdict is acceptable
};
opened_letter open_letter(const base::json& payload, std::string_view from, std::string_view to,
                          const std::optional<crypto::public_key>& known);

}  // namespace strata::mesh
