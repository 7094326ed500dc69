#include "sdp/negotiation.hpp"

#include <algorithm>
#include <set>

#include "base/base64.hpp"
#include "base/ip_address.hpp"
#include "sdp/grammar.hpp"

// exception: 8842-4-c in part: browsers name no tls-id and keep DTLS across ICE restarts, so a new ufrag alone is no sign of a
// new association; setup and fingerprints are.

namespace strata::sdp {
namespace {

using base::fail;

// RFC 8839 §4.2.1.2: the candidate most likely to work for a peer without ICE: relayed, then server reflexive, then host.
// Names (mDNS) are no addresses, and other components and TCP are not for this m= line.
void set_default_destination(data_description& d) {
  d.default_port = 9;
  d.default_connection = {};
  int best = 0;
  for (const auto& text : d.candidates) {
    const auto words = split(text);
    if (words.size() < 8 || words[1] != "1" || (words[2] != "UDP" && words[2] != "udp") || words[6] != "typ") continue;
    const auto address = base::ip_address::parse(words[4]);
    const auto port = parse_number<std::uint16_t>(words[5]);
    if (!address || !port || *port == 0) continue;
    int rank = words[7] == "relay" ? 5 : words[7] == "srflx" ? 3 : 1;
    if (address->is_v4()) ++rank;
    if (rank <= best) continue;
    best = rank;
    d.default_port = *port;
    d.default_connection = {"IN", address->is_v4() ? "IP4" : "IP6", std::string(words[4])};
  }
}

// RFC 8829 §5.2.2: a session is the same session as long as it lives; each description of it is a new version.
void continue_session(data_description& own, const data_description& previous) {
  own.session_id = previous.session_id;
  own.session_version = previous.session_version + 1;
  if (own.tls_id.empty()) own.tls_id = previous.tls_id;
}

void prepare(data_description& own) {
  own.ice_lite = false;  // RFC 8839 §4.2.1.4: we are a full agent
  own.session_id &= 0x7fffffffffffffff;
  own.rejected = false;
  set_default_destination(own);
}

std::set<std::pair<crypto::hash_function, base::bytes>> set_of(const std::vector<crypto::fingerprint>& list) {
  std::set<std::pair<crypto::hash_function, base::bytes>> s;
  for (const auto& f : list) s.emplace(f.algorithm, f.digest);
  return s;
}

}  // namespace

data_description create_offer(data_description own, const data_description* previous) {
  prepare(own);
  own.setup = setup_role::actpass;  // RFC 8842 §5.2, §5.5: also when an association exists
  own.bundled = true;
  own.protocol = "UDP/DTLS/SCTP";  // RFC 8829 §5.1.2: also after an exchange in the old syntax
  own.legacy_sctpmap = false;
  if (own.mid.empty()) own.mid = "0";
  if (previous == nullptr) return own;
  continue_session(own, *previous);
  if (!previous->mid.empty()) own.mid = previous->mid;
  own.index = previous->index;
  own.others = previous->others;
  return own;
}

base::result<data_description> create_answer(data_description own, const data_description& offer,
                                             const data_description* previous) {
  prepare(own);
  if (previous != nullptr) continue_session(own, *previous);
  own.mid = offer.mid;
  own.bundled = offer.bundled && !offer.rejected;
  own.protocol = offer.protocol;
  own.legacy_sctpmap = offer.legacy_sctpmap;
  own.index = offer.index;
  own.others = offer.others;
  for (auto& o : own.others) o.rejected = true;
  own.rejected = offer.rejected;
  if (offer.tls_id.empty()) own.tls_id.clear();  // RFC 8842 §5.3
  if (offer.sctp_port == 0) own.sctp_port = 0;   // RFC 8841 §10.3
  if (own.rejected) {
    own.default_port = 0;
    own.default_connection = {};
    return own;
  }
  // RFC 8842 §5.3: active when we may choose, for then our ClientHello need not wait for the answer to arrive.
  const bool living = previous != nullptr && !previous->rejected && previous->setup != setup_role::actpass;
  if (living) own.setup = previous->setup;
  else own.setup = offer.setup == setup_role::active ? setup_role::passive : setup_role::active;
  if (own.setup == offer.setup) return fail(errc::bad_setup, base::error::nowhere, "the other role than the offerer's");
  return own;
}

base::result<void> check_answer(const data_description& offer, const data_description& answer) {
  constexpr auto nowhere = base::error::nowhere;
  // RFC 8829 §5.8.3: the sections of the offer, in its order.
  const bool same = offer.index == answer.index && offer.others.size() == answer.others.size() &&
                    offer.protocol == answer.protocol &&
                    std::equal(offer.others.begin(), offer.others.end(), answer.others.begin(),
                               [](const auto& a, const auto& b) { return a.media == b.media && a.protocol == b.protocol; });
  if (!same) return fail(errc::answer_mismatch, nowhere, "the sections of the offer");
  for (std::size_t i = 0; i < offer.others.size(); ++i)
    if (offer.others[i].rejected && !answer.others[i].rejected)
      return fail(errc::answer_mismatch, nowhere, "port 0 where the offer has it");
  if (offer.rejected && !answer.rejected) return fail(errc::answer_mismatch, nowhere, "port 0 where the offer has it");
  if (!answer.mid.empty() && answer.mid != offer.mid) return fail(errc::answer_mismatch, nowhere, "the mid of the offer");
  if (answer.rejected) return {};
  // RFC 9143 §7.4: only what was offered as bundled may be.
  if (answer.bundled && !offer.bundled) return fail(errc::bad_bundle, nowhere, "a group that was offered");
  // RFC 8842 §5.3: the answerer decides, and it decides for the other role than the offerer's.
  if (answer.setup == setup_role::actpass || answer.setup == offer.setup)
    return fail(errc::bad_setup, nowhere, "active or passive, and not the offerer's role");
  return {};
}

bool is_ice_restart(const data_description& last, const data_description& next) noexcept {
  return last.ice_ufrag != next.ice_ufrag && last.ice_pwd != next.ice_pwd;
}

bool is_new_dtls_association(const data_description& last, const data_description& next) noexcept {
  if (!last.tls_id.empty() || !next.tls_id.empty()) return last.tls_id != next.tls_id;
  const bool roles = last.setup != setup_role::actpass && next.setup != setup_role::actpass && last.setup != next.setup;
  return roles || set_of(last.fingerprints) != set_of(next.fingerprints);
}

base::result<void> check_change(const data_description& last, const data_description& next) {
  constexpr auto nowhere = base::error::nowhere;
  if (last.rejected || next.rejected) return {};
  if ((last.ice_ufrag == next.ice_ufrag) != (last.ice_pwd == next.ice_pwd))
    return fail(errc::bad_change, nowhere, "a new ufrag and a new pwd, or neither");  // RFC 8839 §4.4.1.1.1
  if (is_ice_restart(last, next)) return {};
  // RFC 8839 §4.4.2.1
  if (last.ice_lite != next.ice_lite || last.ice2 != next.ice2 || last.ice_pacing_ms != next.ice_pacing_ms)
    return fail(errc::bad_change, nowhere, "the same ice-lite, ice2 and ice-pacing until a restart");
  // RFC 8829 §5.8.3, §5.11: a new association needs new credentials.
  if (is_new_dtls_association(last, next)) return fail(errc::bad_change, nowhere, "an ICE restart with a new DTLS association");
  if (last.setup != setup_role::actpass && next.setup != setup_role::actpass && last.setup != next.setup)
    return fail(errc::bad_setup, nowhere, "the role of the living association");
  return {};
}

std::string make_tls_id(base::byte_view random) { return base::base64url_encode(random); }

}  // namespace strata::sdp
