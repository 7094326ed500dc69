// Who a link leads to: what we sign, what of the peer's we take, and under which name it is shown.
#include <algorithm>
#include <array>

#include "base/base64.hpp"
#include "mesh/identity.hpp"
#include "mesh/link.hpp"
#include "sdp/data_description.hpp"

namespace strata::mesh {
namespace {

constexpr std::string_view meshd_capability = "strata-1", frames_capability = "frames-1";

bool lists(const base::json& payload, std::string_view capability) {
  const auto* caps = payload.find("caps");
  if (caps == nullptr || caps->as_array() == nullptr) return false;
  return std::ranges::any_of(*caps->as_array(),
                             [&](const base::json& c) { return c.as_string() != nullptr && *c.as_string() == capability; });
}

}  // namespace

// False: it is not the peer's, and changes nothing; a connection that stands goes on.
bool link::admit(direction d, const base::json& payload, const sdp::data_description& description, judgement& who) {
  signed_fields expected{d, peer_, environment_.own_id, {}, {}, {}, description.fingerprints};
  if (d == direction::answer) expected.answers = own_nonce_;
  who = verify(payload, expected, environment_.known.key_of(peer_));
  if (who.what == verdict::another_key) environment_.known.refused(peer_, *who.key);
  if (acceptable(who.what)) return true;
  ++refused_;
  latest_refusal_ = who.what;
  tracer_(environment_.host.now(), trace::note{trace::layer::mesh, "identity refused", reason(who.what)});
  // An answer that comes late, to an offer that has been taken back, is nobody's attack.
  if (who.what != verdict::other_offer && environment_.on_refused) environment_.on_refused(peer_, reason(who.what));
  return false;
}

// The channel is open, so the peer has the DTLS key that was signed for: now its long-term key may be remembered.
bool link::meet() {
  auto& known = environment_.known;
  if (!who_.key) {
    if (known.key_of(peer_)) reason_ = reason(verdict::signature_missing);
    else if (known.taken_by_another(peer_, peer_)) reason_ = "this is the name of another peer, whose key is known";
    else return true;
    return false;
  }
  auto changes = known.met(peer_, *who_.key, who_.alias == alias_ ? std::string_view(alias_) : std::string_view(),
                           environment_.host.wall_now());
  if (!changes) {
    reason_ = changes.error();
    return false;
  }
  if (!changes->empty() && environment_.keep) environment_.keep(std::move(*changes));
  return true;
}

bool link::verified() const {
  const auto* p = environment_.known.find(peer_);
  return who_.key && p != nullptr && p->key == *who_.key && (who_.what == verdict::verified || p->compared);
}

void link::set_alias(std::string_view alias) {
  // A key that we know has said which name goes with it.
  if (const auto* p = environment_.known.find(peer_); p != nullptr && p->alias != alias) return;
  if (!environment_.known.taken_by_another(alias, peer_)) alias_ = alias;
}

void link::read_capabilities(const base::json& payload, const judgement& who) {
  they_are_meshd_ = lists(payload, meshd_capability);
  they_speak_frames_ = !environment_.plain && they_are_meshd_ && lists(payload, frames_capability);
  // The registry stands for the alias: it replaces what the sender claims by what it has bound. Who signs must want it too.
  const auto alias = payload.text("alias");
  const bool named = they_are_meshd_ && signaling::valid_peer_id(alias);
  if (!who.key) {
    if (named) set_alias(alias);
    return;
  }
  if (alias_ != who.alias) alias_.clear();
  if (named && alias == who.alias && !environment_.known.taken_by_another(alias, peer_)) alias_ = alias;
}

base::json link::own_offer(std::string sdp) {
  signed_fields f;
  own_nonce_ = fresh_nonce();
  f.nonce = own_nonce_;
  return signed_payload(std::move(sdp), f);
}

base::json link::own_answer(std::string sdp, std::string_view their_nonce) {
  signed_fields f;
  const auto nonce = fresh_nonce();
  f.what = direction::answer;
  f.nonce = nonce;
  f.answers = their_nonce;
  return signed_payload(std::move(sdp), f);
}

// Empty when nothing is signed.
std::string link::fresh_nonce() const {
  if (!environment_.identity) return {};
  std::array<std::uint8_t, nonce_octets> random{};
  environment_.host.random(random);
  return base::base64url_encode(random);
}

base::json link::signed_payload(std::string sdp, signed_fields f) const {
  base::json::array capabilities{meshd_capability};
  if (!environment_.plain) capabilities.emplace_back(frames_capability);
  auto payload = base::json::make({{"caps", std::move(capabilities)}});
  const auto description = environment_.identity ? sdp::parse_data_description(sdp) : base::result<sdp::data_description>();
  if (environment_.identity && description) {
    f.from = environment_.own_id;
    f.to = peer_;
    f.alias = environment_.own_alias;
    f.fingerprints = description->fingerprints;
    payload.set("signed", sign(f, *environment_.identity));
  }
  payload.set("sdp", std::move(sdp));
  return payload;
}

base::json link::identity_status() const {
  const auto* p = environment_.known.find(peer_);
  auto v = base::json::make({{"verified", verified()},
                             {"verdict", to_string(who_.what)},
                             {"fingerprint", who_.key ? base::json(spoken_fingerprint(*who_.key)) : base::json()},
                             {"known", p != nullptr ? base::json(spoken_fingerprint(p->key)) : base::json()},
                             {"compared", p != nullptr && p->compared},
                             {"refused", refused_}});
  if (refused_ != 0) v.set("refusal", reason(latest_refusal_));
  return v;
}

}  // namespace strata::mesh
