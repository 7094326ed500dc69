// What binds an offer or an answer to who makes it, so that a registry that relays it cannot put itself in between.
//
// The member "signed" of the payload:
//   {"v": 1, "key": base64 of the public key, "nonce": text, "answers": the nonce of the offer (answers only),
//    "alias": the sender's own name, "signature": base64 of r and s}
// The signature covers, each with its length before it: a label with the version, the direction, both ids, the alias, both
// nonces, the key, and every DTLS fingerprint of the description in its order. With the fingerprint goes the whole connection:
// DTLS proves the rest. An old offer that is sent again leads to a handshake that only its maker can finish, and an answer
// names the offer it belongs to.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/json.hpp"
#include "crypto/fingerprint.hpp"
#include "crypto/signing_key.hpp"

namespace strata::mesh {

enum class direction : std::uint8_t { offer, answer };

struct signed_fields {
  direction what = direction::offer;
  std::string_view from, to;  // peer ids, as the registry knows them
  std::string_view alias;     // what the sender calls itself; empty: nothing
  std::string_view nonce;     // of this description
  std::string_view answers;   // the nonce of the offer; empty in an offer and for an offer that had none
  std::span<const crypto::fingerprint> fingerprints;
};

// The octets that are signed.
base::bytes canonical(const signed_fields& f, const crypto::public_key& key);

// The member "signed".
base::json sign(const signed_fields& f, const crypto::signing_key& key);

inline constexpr std::size_t nonce_octets = 16;   // random, written as base64url
inline constexpr std::size_t longest_nonce = 64;  // characters of somebody else's

enum class verdict : std::uint8_t {
  not_signed,     // by a peer that no key is known of: upstream sidecars
  first_contact,  // signed, and no key is known so far
  verified,       // signed with the known key
  // From here on refused:
  signature_missing,  // although a key is known
  malformed,
  other_version,
  other_offer,    // the answer belongs to another offer than our latest
  bad_signature,  // another fingerprint, other ids, another key than the one that signed
  another_key,    // a good signature with a key that is not the known one
};
constexpr bool acceptable(verdict v) noexcept { return v <= verdict::verified; }
std::string_view to_string(verdict v) noexcept;  // "verified"
std::string_view reason(verdict v) noexcept;     // a sentence for a person

struct judgement {
  verdict what = verdict::not_signed;
  std::optional<crypto::public_key> key;  // of a good signature, also when it is another one than expected
  std::string nonce, alias;               // of a good signature
};

// `expected` holds what we know ourselves: the direction, the ids, the fingerprints of the description beside the signature
// and, for an answer, the nonce of our offer; its alias and nonce are not looked at.
judgement verify(const base::json& payload, const signed_fields& expected, const std::optional<crypto::public_key>& known);

}  // namespace strata::mesh
