// A registry that changes anything of an offer or an answer is found out.
#include "mesh/signed_offer.hpp"

#include <doctest/doctest.h>

#include <array>
#include <functional>

#include "base/base64.hpp"

using namespace strata;
using mesh::direction;
using mesh::verdict;

namespace {

crypto::signing_key key_of(std::uint8_t n) {
  return crypto::signing_key::generate([n](base::byte_span out) mutable {
    for (auto& octet : out) octet = n++;
  });
}
crypto::fingerprint print_of(std::string_view what) { return crypto::fingerprint_of(base::as_bytes(what)); }

const auto ada = key_of(1), mallory = key_of(120);
const std::array adas_print{print_of("ada's certificate")}, mallorys_print{print_of("mallory's certificate")};

mesh::signed_fields offer_fields() {
  return {direction::offer, "ada", "grace", "ada-sidecar", "nonce-of-the-offer", "", adas_print};
}
base::json payload_of(const mesh::signed_fields& f, const crypto::signing_key& k) {
  return base::json::make({{"sdp", "v=0"}, {"signed", mesh::sign(f, k)}});
}
verdict judge(const base::json& payload, const mesh::signed_fields& expected, bool ada_is_known) {
  return mesh::verify(payload, expected, ada_is_known ? std::optional(ada.public_key()) : std::nullopt).what;
}

}  // namespace

TEST_CASE("a good signature is first contact or verified, and says who signed") {
  const auto payload = payload_of(offer_fields(), ada);
  CHECK(judge(payload, offer_fields(), true) == verdict::verified);
  const auto j = mesh::verify(payload, offer_fields(), {});
  CHECK(j.what == verdict::first_contact);
  CHECK(j.key == ada.public_key());
  CHECK(j.nonce == "nonce-of-the-offer");
  CHECK(j.alias == "ada-sidecar");
}

TEST_CASE("who signs nothing may pass only when no key of it is known") {
  const auto plain = base::json::make({{"sdp", "v=0"}});
  CHECK(judge(plain, offer_fields(), false) == verdict::not_signed);
  CHECK(judge(plain, offer_fields(), true) == verdict::signature_missing);
  auto null = plain;
  null.set("signed", nullptr);
  CHECK(judge(null, offer_fields(), true) == verdict::signature_missing);
  CHECK(judge({}, offer_fields(), true) == verdict::signature_missing);
}

TEST_CASE("what is expected differs from what was signed: refused, whether the key is known or not") {
  struct row {
    const char* what;
    std::function<void(mesh::signed_fields&)> change;
  };
  static const std::array two_prints{adas_print[0], mallorys_print[0]};
  static const auto weaker =
      std::array{crypto::fingerprint_of(base::as_bytes("ada's certificate"), crypto::hash_function::sha_1)};
  for (const auto& r :
       {row{"another fingerprint", [](auto& f) { f.fingerprints = mallorys_print; }},
        row{"a fingerprint more", [](auto& f) { f.fingerprints = two_prints; }},
        row{"no fingerprint", [](auto& f) { f.fingerprints = {}; }},
        row{"another hash", [](auto& f) { f.fingerprints = weaker; }}, row{"another sender", [](auto& f) { f.from = "hedy"; }},
        row{"another receiver", [](auto& f) { f.to = "hedy"; }},
        row{"sender and receiver moved together", [](auto& f) { f.from = "adag", f.to = "race"; }},
        row{"sent back to its maker", [](auto& f) { std::swap(f.from, f.to); }},
        row{"the other direction", [](auto& f) { f.what = direction::answer; }}}) {
    CAPTURE(r.what);
    auto expected = offer_fields();
    r.change(expected);
    CHECK(judge(payload_of(offer_fields(), ada), expected, true) == verdict::bad_signature);
    CHECK(judge(payload_of(offer_fields(), ada), expected, false) == verdict::bad_signature);
  }
}

TEST_CASE("a member that was changed on the way is refused") {
  const auto change = [](std::string_view name, base::json v) {
    auto payload = payload_of(offer_fields(), ada);
    auto member = *payload.find("signed");
    member.set(name, std::move(v));
    payload.set("signed", std::move(member));
    return payload;
  };
  struct row {
    base::json payload;
    verdict with_key;
  };
  const auto mallorys = mallory.public_key();
  const base::bytes short_signature(63, 1), long_signature(65, 1);
  for (const auto& r :
       {row{change("nonce", "another"), verdict::bad_signature}, row{change("alias", "hedy-sidecar"), verdict::bad_signature},
        row{change("alias", ""), verdict::bad_signature}, row{change("alias", "a b"), verdict::malformed},
        row{change("key", base::base64_encode(mallorys.octets())), verdict::bad_signature},
        row{change("key", "AAAA"), verdict::malformed}, row{change("key", 7), verdict::malformed},
        row{change("key", base::json::object()), verdict::malformed}, row{change("signature", ""), verdict::bad_signature},
        row{change("signature", "not base64!"), verdict::malformed},
        row{change("signature", base::base64_encode(short_signature)), verdict::bad_signature},
        row{change("signature", base::base64_encode(long_signature)), verdict::bad_signature},
        row{change("nonce", ""), verdict::malformed}, row{change("nonce", std::string(65, 'n')), verdict::malformed},
        row{change("nonce", base::json::array()), verdict::malformed},
        row{change("answers", "something"), verdict::other_offer}, row{change("v", 2), verdict::other_version},
        row{change("v", "1"), verdict::malformed}, row{change("v", nullptr), verdict::malformed}}) {
    CAPTURE(r.payload.dump());
    CHECK(judge(r.payload, offer_fields(), true) == r.with_key);
    CHECK_FALSE(mesh::acceptable(judge(r.payload, offer_fields(), false)));
  }
  for (const auto& odd : {base::json("text"), base::json(1), base::json(true), base::json(base::json::array{})}) {
    auto payload = base::json::make({{"signed", odd}});
    CHECK(judge(payload, offer_fields(), false) == verdict::malformed);
  }
}

TEST_CASE("a registry that signs with a key of its own is another key to who knows the peer") {
  auto f = offer_fields();
  f.fingerprints = mallorys_print;
  const auto payload = payload_of(f, mallory);
  const auto j = mesh::verify(payload, f, ada.public_key());
  CHECK(j.what == verdict::another_key);
  CHECK(j.key == mallory.public_key());                       // so that a person can look at it, and take it if that is right
  CHECK(judge(payload, f, false) == verdict::first_contact);  // what is never known cannot be found out
}

TEST_CASE("an answer belongs to one offer") {
  auto answer =
      mesh::signed_fields{direction::answer, "grace", "ada", "", "nonce-of-the-answer", "nonce-of-the-offer", adas_print};
  const auto payload = payload_of(answer, ada);
  CHECK(judge(payload, answer, true) == verdict::verified);
  answer.answers = "nonce-of-the-next-offer";
  CHECK(judge(payload, answer, true) == verdict::other_offer);
}

TEST_CASE("the signed octets are what they were: peers of other versions must agree on them") {
  const auto key = key_of(1);
  CHECK(
      base::base64_encode(crypto::digest(crypto::hash_function::sha_256, mesh::canonical(offer_fields(), key.public_key()))) ==
      "QBX44RObLFIsdwL9r8et7UCJT+4//iiNuPWXFH8UP0U=");
}

TEST_CASE("every verdict has a name and a sentence") {
  for (auto v = 0; v <= static_cast<int>(verdict::another_key); ++v) {
    CHECK(mesh::to_string(static_cast<verdict>(v)) != "QBX44RObLFIsdwL9r8et7UCJT+4//iiNuPWXFH8UP0U=");
    CHECK(mesh::reason(static_cast<verdict>(v)).size() > 10);
  }
}
