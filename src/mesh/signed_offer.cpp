#include "mesh/signed_offer.hpp"

#include "base/base64.hpp"
#include "base/byte_writer.hpp"
#include "crypto/error.hpp"
#include "signaling/message.hpp"

namespace strata::mesh {
namespace {

constexpr std::int64_t version = 1;
constexpr std::string_view label = "strata mesh offer 1";

void put(base::bytes& out, base::byte_view field) {
  base::byte_writer w(out);
  w.u32(static_cast<std::uint32_t>(field.size()));
  w.write(field);
}
void put(base::bytes& out, std::string_view field) { put(out, base::as_bytes(field)); }

std::string_view name_of(direction d) noexcept { return d == direction::offer ? "offer" : "answer"; }

}  // namespace

base::bytes canonical(const signed_fields& f, const crypto::public_key& key) {
  base::bytes out;
  for (const auto field : {label, name_of(f.what), f.from, f.to, f.alias, f.nonce, f.answers}) put(out, field);
  put(out, key.octets());
  for (const auto& print : f.fingerprints) put(out, crypto::format(print));
  return out;
}

base::json sign(const signed_fields& f, const crypto::signing_key& key) {
  const auto own = key.public_key();
  auto member = base::json::make({{"v", version}, {"key", base::base64_encode(own.octets())}, {"nonce", f.nonce}});
  if (!f.answers.empty()) member.set("answers", f.answers);
  if (!f.alias.empty()) member.set("alias", f.alias);
  member.set("signature", base::base64_encode(key.sign(canonical(f, own))));
  return member;
}

judgement verify(const base::json& payload, const signed_fields& expected, const std::optional<crypto::public_key>& known) {
  const auto refused = [](verdict why) { return judgement{why, {}, {}, {}}; };
  const auto* member = payload.find("signed");
  // To take the signature away must not help: whoever was known by a key stays known by it.
  if (member == nullptr || member->is_null()) return refused(known ? verdict::signature_missing : verdict::not_signed);
  const auto* v = member->find("v");
  if (v == nullptr || !v->as_int()) return refused(verdict::malformed);
  if (v->as_int() != version) return refused(verdict::other_version);
  const auto octets = base::base64_decode(member->text("key"));
  const auto signature = base::base64_decode(member->text("signature"));
  const auto key = octets ? crypto::public_key::from(*octets) : base::fail(crypto::errc::malformed_public_key);
  auto said = expected;
  said.nonce = member->text("nonce");
  said.answers = member->text("answers");
  said.alias = member->text("alias");
  if (!key || !signature || said.nonce.empty() || said.nonce.size() > longest_nonce ||
      (!said.alias.empty() && !signaling::valid_peer_id(said.alias)))
    return refused(verdict::malformed);
  if (said.answers != expected.answers) return refused(verdict::other_offer);
  // Without a fingerprint the signature would bind nothing.
  if (said.fingerprints.empty() || !key->verify(canonical(said, *key), *signature)) return refused(verdict::bad_signature);
  judgement j{verdict::first_contact, *key, std::string(said.nonce), std::string(said.alias)};
  if (known) j.what = *known == *key ? verdict::verified : verdict::another_key;
  return j;
}

std::string_view to_string(verdict v) noexcept {
  switch (v) {
    case verdict::not_signed: return "not signed";
    case verdict::first_contact: return "first contact";
    case verdict::verified: return "verified";
    case verdict::signature_missing: return "signature missing";
    case verdict::malformed: return "malformed signature";
    case verdict::other_version: return "other version";
    case verdict::other_offer: return "other offer";
    case verdict::bad_signature: return "bad signature";
    case verdict::another_key: return "another key";
  }
  return "?";
}

std::string_view reason(verdict v) noexcept {
  switch (v) {
    case verdict::not_signed: return "the peer signs nothing, so who it is rests on the registry alone";
    case verdict::first_contact: return "the peer is met for the first time; its key is remembered";
    case verdict::verified: return "the peer has the key that we know it by";
    case verdict::signature_missing:
      return "the peer is known by its key, and this was not signed: not the peer, or a changed message";
    case verdict::malformed: return "what should be a signature cannot be read";
    case verdict::other_version: return "signed in a version that this meshd does not know";
    case verdict::other_offer: return "the answer belongs to another offer";
    case verdict::bad_signature:
      return "the signature does not fit the fingerprint and the ids: somebody on the way to the peer has changed them";
    case verdict::another_key: return "the peer shows another key than the one that we know it by";
  }
  return "?";
}

}  // namespace strata::mesh
