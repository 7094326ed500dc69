// How a machine that has nothing becomes a peer: a code that an admin hands out, a redeemer who shows it and leaves the hash of
// a secret, an admin's decision, and a device token that is released once to who shows that secret. Pure.
//
//   code ─redeem→ pending_approval ─approve→ approved ─revoke→ revoked
//                       ├─reject→ rejected
//                       └─a day→  expired
//
// The token is made when it is released and not when the entry is approved, so that it never rests anywhere in clear.
// As with keys, the caller commits the changes of an outcome before it acknowledges.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "registry/credentials.hpp"
#include "registry/devices.hpp"
#include "registry/digest_table.hpp"
#include "registry/pairing_code.hpp"
#include "registry/revocations.hpp"
#include "store/change.hpp"

namespace strata::registry {

enum class pairing_errc {
  bad_body = 1,  // not an object, or a member of the wrong kind
  bad_code,      // can be no code
  bad_name,
  bad_claim,
  unknown_code,  // never given out, used, or expired: whoever guesses learns no more
  too_many_codes,
  too_many_entries,
  not_pending,
  not_approved,
  not_found  // no such entry, or not the secret that it was redeemed with
};
std::error_code make_error_code(pairing_errc e) noexcept;

enum class pairing_status : std::uint8_t { pending_approval, approved, rejected, revoked, expired };
[[nodiscard]] std::string_view to_string(pairing_status s) noexcept;

struct onboarding_entry {
  std::string id;          // 32 hexadecimal digits
  std::string agent_name;  // what the redeemer calls itself
  std::string peer_id;     // "agent-" and 32 hexadecimal digits
  std::string issuer;      // peer id of who made the code
  std::string address;     // where it was redeemed from
  std::string decided_by;  // peer id of who approved, rejected or revoked last; empty: nobody yet
  pairing_status status = pairing_status::pending_approval;
  base::wall_time created{}, updated{};
  std::optional<secret_digest> claim;         // none: a client of the older protocol, which has no secret
  std::optional<base::wall_time> released{};  // when the token was
};
// OnboardingEntry of the contract, and the issuer. No secrets.
[[nodiscard]] base::json to_json(const onboarding_entry& e);

// What a redeemer says, after its form was found good. {"code", "agent_name", "claim_hash": SHA-256 of its secret in
// hexadecimal}
struct redemption {
  std::string code, agent_name;
  std::optional<secret_digest> claim;
};
// This comes before a guess is counted, redeem() after. Six digits are for clients that may know no claim; else it is required.
[[nodiscard]] base::result<redemption> read_redemption(const base::json& body, code_kind k);

class pairing {
 public:
  static constexpr std::string_view codes_table = "pairing_codes";  // name: the digest of the code
  static constexpr std::string_view entries_table = "pairings";     // name: the id
  static constexpr auto code_lifetime = std::chrono::seconds(300);
  static constexpr auto pending_lifetime = std::chrono::hours(24);
  static constexpr auto kept_after_end = std::chrono::hours(24 * 30);
  static constexpr std::size_t most_codes = 100, most_pending = 1000, most_entries = 20'000;

  explicit pairing(code_kind k = code_kind::eight_characters) : kind_(k) {}

  struct generated {
    std::string code;
    base::duration expires_in{};
    store::changes changes;
  };
  struct outcome {
    onboarding_entry entry;
    std::optional<std::string> device_token;  // in clear, for the answer to this one request
    store::changes changes;
  };

  base::result<void> load(std::span<const store::record> codes, std::span<const store::record> entries);
  base::result<generated> generate(std::string_view issuer, base::wall_time now, const crypto::random_source& random);
  // For an issuer who is one no longer.
  [[nodiscard]] store::changes withdraw_codes(std::string_view issuer);

  base::result<outcome> redeem(const redemption& r, std::string_view address, base::wall_time now,
                               const crypto::random_source& random);
  // The token is in the outcome only when the entry has no claim: then the admin is the only one who can carry it there.
  base::result<outcome> approve(std::string_view id, std::string_view by, devices& d, base::wall_time now,
                                const crypto::random_source& random);
  base::result<outcome> reject(std::string_view id, std::string_view by, base::wall_time now);
  base::result<outcome> revoke(std::string_view id, std::string_view by, devices& d, revocations& r, base::wall_time now);
  // The claimant asks how it stands; the first time that it is approved the outcome has the token.
  base::result<outcome> claim(std::string_view id, std::string_view secret, devices& d, base::wall_time now,
                              const crypto::random_source& random);
  [[nodiscard]] store::changes sweep(base::wall_time now);

  [[nodiscard]] const onboarding_entry* find(std::string_view id) const;
  // Oldest first; with a status only those.
  [[nodiscard]] std::vector<const onboarding_entry*> list(base::wall_time now, std::optional<pairing_status> s = {}) const;
  [[nodiscard]] std::size_t live_codes(base::wall_time now) const;

 private:
  struct live_code {
    std::string issuer;
    base::wall_time expires{};
  };
  onboarding_entry* in_status(std::string_view id, pairing_status s, base::wall_time now);
  static store::change change(const onboarding_entry& e);

  code_kind kind_;
  digest_table<live_code> codes_;
  std::map<std::string, onboarding_entry, std::less<>> entries_;
};

}  // namespace strata::registry

template <>
struct std::is_error_code_enum<strata::registry::pairing_errc> : std::true_type {};
