// Offer and answer for data-only sessions (RFC 8829 §5.2, §5.3, §5.8.3; RFC 8842 §5; RFC 8841 §10).
#pragma once

#include <optional>
#include <string>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "sdp/data_description.hpp"

namespace strata::sdp {

// An offer from what we know of ourselves (ICE credentials and candidates, fingerprints, tls-id, sizes): actpass, mid 0,
// one bundled section. With the previous description a re-offer: same identity, next version, same mid.
[[nodiscard]] data_description create_offer(data_description own, const data_description* previous = nullptr);

// An answer to the offer: mid, protocol and the place among the sections are the offer's, every other section is rejected.
// Setup is active unless the offerer insists on it or `previous` (our last description of a living association) says
// otherwise. Errors: bad_setup.
[[nodiscard]] base::result<data_description> create_answer(data_description own, const data_description& offer,
                                                           const data_description* previous = nullptr);

// May this be the answer to our offer? Errors: answer_mismatch, bad_setup, bad_bundle.
[[nodiscard]] base::result<void> check_answer(const data_description& offer, const data_description& answer);

// May this description follow the peer's last one? Errors: bad_change. Not an error: an ICE restart (both credentials are
// new), a new DTLS association in an ICE restart.
[[nodiscard]] base::result<void> check_change(const data_description& last, const data_description& next);

// RFC 8839 §4.4.1.1.1: both credentials are different.
[[nodiscard]] bool is_ice_restart(const data_description& last, const data_description& next) noexcept;
// RFC 8842 §4, and §4 last paragraphs for peers without tls-id.
[[nodiscard]] bool is_new_dtls_association(const data_description& last, const data_description& next) noexcept;

// RFC 8842 §4: at least 120 random bits; this makes 192 of the 24 octets given.
inline constexpr std::size_t tls_id_random_bytes = 24;
[[nodiscard]] std::string make_tls_id(base::byte_view random);

}  // namespace strata::sdp
