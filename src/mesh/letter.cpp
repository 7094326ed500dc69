#include "mesh/letter.hpp"

#include "base/base64.hpp"
#include "base/byte_writer.hpp"
#include "crypto/error.hpp"
#include "mesh/frame.hpp"

namespace strata::mesh {
namespace {

constexpr std::int64_t version = 1;
constexpr std::string_view label = "strata mesh letter 1";

base::bytes signed_octets(std::string_view from, std::string_view to, std::string_view bundle) {
  base::bytes out;
  base::byte_writer w(out);
  for (const auto field : {label, from, to, bundle}) {
    w.u32(static_cast<std::uint32_t>(field.size()));
    w.write(base::as_bytes(field));
  }
  return out;
}

verdict judge(const base::json& payload, std::string_view from, std::string_view to,
              const std::optional<crypto::public_key>& known) {
  const auto* v = payload.find("strata");
  if (v == nullptr || !v->as_int()) return verdict::malformed;
  if (v->as_int() != version) return verdict::other_version;
  if (payload.find("signature") == nullptr) return known ? verdict::signature_missing : verdict::not_signed;
  const auto octets = base::base64_decode(payload.text("key"));
  const auto signature = base::base64_decode(payload.text("signature"));
  const auto key = octets ? crypto::public_key::from(*octets) : base::fail(crypto::errc::malformed_public_key);
  if (!key || !signature) return verdict::malformed;
  if (!key->verify(signed_octets(from, to, payload.text("frames")), *signature)) return verdict::bad_signature;
  if (!known) return verdict::first_contact;
  return *known == *key ? verdict::verified : verdict::another_key;
}

}  // namespace

base::json seal(std::string_view from, std::string_view to, std::span<const base::bytes> frames,
                const std::optional<crypto::signing_key>& key) {
  auto text = bundle(frames);
  auto payload = base::json::make({{"strata", version}});
  if (key) {
    payload.set("key", base::base64_encode(key->public_key().octets()));
    payload.set("signature", base::base64_encode(key->sign(signed_octets(from, to, text))));
  }
  payload.set("frames", std::move(text));
  return payload;
}

opened_letter open_letter(const base::json& payload, std::string_view from, std::string_view to,
                          const std::optional<crypto::public_key>& known) {
  opened_letter out{judge(payload, from, to, known), {}};
  if (!acceptable(out.what)) return out;
  auto frames = unbundle(payload.text("frames"));
  if (frames) out.frames = std::move(*frames);
  else out.what = verdict::malformed;
  return out;
}

}  // namespace strata::mesh
