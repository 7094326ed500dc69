#include "registry/pairing.hpp"

#include <algorithm>
#include <array>
#include <tuple>

#include "base/hex.hpp"
#include "crypto/hmac.hpp"
#include "registry/stored.hpp"

namespace strata::registry {
namespace {

constexpr std::size_t longest_claim = 256;

class category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "pairing"; }
  std::string message(int value) const override {
    switch (static_cast<pairing_errc>(value)) {
      case pairing_errc::bad_body: return "the body is not what pairing takes";
      case pairing_errc::bad_code: return "that can be no pairing code";
      case pairing_errc::bad_name: return "agent_name is required";
      case pairing_errc::bad_claim: return "claim_hash is missing or wrong";
      case pairing_errc::unknown_code: return "invalid or expired pairing code";
      case pairing_errc::too_many_codes: return "too many pairing codes wait to be used";
      case pairing_errc::too_many_entries: return "too many pairings";
      case pairing_errc::not_pending: return "not found or not pending";
      case pairing_errc::not_approved: return "not found or not approved";
      case pairing_errc::not_found: return "not found";
    }
    return "unknown error";
  }
};

constexpr std::array statuses{pairing_status::pending_approval, pairing_status::approved, pairing_status::rejected,
                              pairing_status::revoked, pairing_status::expired};

std::array<std::uint8_t, 16> draw(const crypto::random_source& random) {
  std::array<std::uint8_t, 16> octets;
  random(octets);
  return octets;
}

bool has_ended(pairing_status s) { return s != pairing_status::pending_approval && s != pairing_status::approved; }

}  // namespace

std::error_code make_error_code(pairing_errc e) noexcept {
  static const category instance;
  return {static_cast<int>(e), instance};
}

std::string_view to_string(pairing_status s) noexcept {
  switch (s) {
    case pairing_status::pending_approval: return "pending_approval";
    case pairing_status::approved: return "approved";
    case pairing_status::rejected: return "rejected";
    case pairing_status::revoked: return "revoked";
    case pairing_status::expired: return "expired";
  }
  return "expired";
}

base::json to_json(const onboarding_entry& e) {
  return base::json::make({{"id", e.id},
                           {"agent_name", e.agent_name},
                           {"peer_id", e.peer_id},
                           {"status", to_string(e.status)},
                           {"created_at", static_cast<double>(unix_seconds(e.created))},
                           {"updated_at", static_cast<double>(unix_seconds(e.updated))},
                           {"issuer", e.issuer}});
}

store::change pairing::change(const onboarding_entry& e) {
  auto v = base::json::make({{"agent_name", e.agent_name},
                             {"peer_id", e.peer_id},
                             {"issuer", e.issuer},
                             {"address", e.address},
                             {"decided_by", e.decided_by},
                             {"status", to_string(e.status)},
                             {"created", unix_seconds(e.created)},
                             {"updated", unix_seconds(e.updated)},
                             {"claim", e.claim ? base::to_hex(*e.claim) : ""}});
  if (e.released) v.set("released", unix_seconds(*e.released));
  return {std::string(entries_table), e.id, v.dump()};
}

base::result<void> pairing::load(std::span<const store::record> codes, std::span<const store::record> entries) {
  pairing fresh(kind_);
  for (const auto& r : codes) {
    const auto digest = digest_from_hex(r.name);
    stored_reader v(r.value);
    live_code c{v.text("issuer"), v.time("expires")};
    if (!digest || !v.good()) return base::fail(stored_errc::damaged, base::error::nowhere, "a pairing code");
    fresh.codes_.insert(*digest, std::move(c));
  }
  for (const auto& r : entries) {
    stored_reader v(r.value);
    onboarding_entry e{.id = r.name,
                       .agent_name = v.text("agent_name"),
                       .peer_id = v.text("peer_id"),
                       .issuer = v.text("issuer"),
                       .address = v.text("address"),
                       .decided_by = v.text("decided_by"),
                       .created = v.time("created"),
                       .updated = v.time("updated"),
                       .claim = {},
                       .released = v.time_if_there("released")};
    const auto status = v.text("status"), claim = v.text("claim");
    const auto known = std::ranges::find(statuses, status, [](auto s) { return to_string(s); });
    if (!claim.empty()) e.claim = digest_from_hex(claim);
    if (!v.good() || known == statuses.end() || e.claim.has_value() == claim.empty() || !valid_member_id(e.peer_id))
      return base::fail(stored_errc::damaged, base::error::nowhere, "a pairing");
    e.status = *known;
    fresh.entries_.emplace(r.name, std::move(e));
  }
  *this = std::move(fresh);
  return {};
}

base::result<pairing::generated> pairing::generate(std::string_view issuer, base::wall_time now,
                                                   const crypto::random_source& random) {
  generated out{{}, code_lifetime, {}};
  codes_.each([&](const secret_digest& d, const live_code& c) {
    if (c.expires <= now) out.changes.push_back({std::string(codes_table), base::to_hex(d), std::nullopt});
  });
  for (const auto& gone : out.changes) codes_.erase(*digest_from_hex(gone.name));
  if (codes_.size() >= most_codes) return base::fail(pairing_errc::too_many_codes);
  // A live code is never overwritten: two who hold the same one would be taken for each other. With at most a hundred alive
  // among a million the loop is as good as over at once.
  secret_digest d;
  do {
    out.code = make_code(kind_, random);
    d = digest_of(out.code);
  } while (codes_.find(d) != nullptr);
  const auto expires = from_unix_seconds(unix_seconds(now)) + code_lifetime;
  codes_.insert(d, {std::string(issuer), expires});
  out.changes.push_back({std::string(codes_table), base::to_hex(d),
                         base::json::make({{"issuer", issuer}, {"expires", unix_seconds(expires)}}).dump()});
  return out;
}

store::changes pairing::withdraw_codes(std::string_view issuer) {
  store::changes gone;
  codes_.each([&](const secret_digest& d, const live_code& c) {
    if (c.issuer == issuer) gone.push_back({std::string(codes_table), base::to_hex(d), std::nullopt});
  });
  for (const auto& g : gone) codes_.erase(*digest_from_hex(g.name));
  return gone;
}

base::result<pairing::outcome> pairing::redeem(const redemption& r, std::string_view address, base::wall_time now,
                                               const crypto::random_source& random) {
  const auto d = digest_of(r.code);
  const auto* code = codes_.find(d);
  if (code == nullptr || code->expires <= now) return base::fail(pairing_errc::unknown_code);
  const auto pending =
      std::ranges::count(entries_, pairing_status::pending_approval, [](const auto& e) { return e.second.status; });
  if (entries_.size() >= most_entries || static_cast<std::size_t>(pending) >= most_pending)
    return base::fail(pairing_errc::too_many_entries);
  onboarding_entry e{.id = base::to_hex(draw(random)),
                     .agent_name = r.agent_name,
                     .peer_id = "agent-" + base::to_hex(draw(random)),
                     .issuer = code->issuer,
                     .address = std::string(address),
                     .decided_by = {},
                     .created = now,
                     .updated = now,
                     .claim = r.claim};
  codes_.erase(d);
  outcome out{e, {}, {{std::string(codes_table), base::to_hex(d), std::nullopt}, change(e)}};
  entries_.emplace(e.id, std::move(e));
  return out;
}

onboarding_entry* pairing::in_status(std::string_view id, pairing_status s, base::wall_time now) {
  const auto at = entries_.find(id);
  if (at == entries_.end() || at->second.status != s) return nullptr;
  if (s == pairing_status::pending_approval && now >= at->second.created + pending_lifetime) return nullptr;
  return &at->second;
}

base::result<pairing::outcome> pairing::approve(std::string_view id, std::string_view by, devices& d, base::wall_time now,
                                                const crypto::random_source& random) {
  auto* e = in_status(id, pairing_status::pending_approval, now);
  if (e == nullptr) return base::fail(pairing_errc::not_pending);
  e->status = pairing_status::approved;
  e->decided_by = by;
  e->updated = now;
  outcome out;
  if (!e->claim) {
    auto minted = d.mint(e->peer_id, now, draw(random));
    e->released = now;
    out.device_token = std::move(minted.token);
    out.changes = std::move(minted.changes);
  }
  out.entry = *e;
  out.changes.push_back(change(*e));
  return out;
}

base::result<pairing::outcome> pairing::reject(std::string_view id, std::string_view by, base::wall_time now) {
  auto* e = in_status(id, pairing_status::pending_approval, now);
  if (e == nullptr) return base::fail(pairing_errc::not_pending);
  e->status = pairing_status::rejected;
  e->decided_by = by;
  e->updated = now;
  return outcome{*e, {}, {change(*e)}};
}

base::result<pairing::outcome> pairing::revoke(std::string_view id, std::string_view by, devices& d, revocations& r,
                                               base::wall_time now) {
  auto* e = in_status(id, pairing_status::approved, now);
  if (e == nullptr) return base::fail(pairing_errc::not_approved);
  e->status = pairing_status::revoked;
  e->decided_by = by;
  e->updated = now;
  outcome out{*e, {}, d.revoke_peer(e->peer_id)};
  for (auto& c : r.revoke_peer(e->peer_id, now)) out.changes.push_back(std::move(c));
  out.changes.push_back(change(*e));
  return out;
}

base::result<pairing::outcome> pairing::claim(std::string_view id, std::string_view secret, devices& d, base::wall_time now,
                                              const crypto::random_source& random) {
  const auto at = entries_.find(id);
  if (at == entries_.end() || !at->second.claim || secret.size() > longest_claim ||
      !crypto::constant_time_equal(*at->second.claim, digest_of(secret)))
    return base::fail(pairing_errc::not_found);
  auto& e = at->second;
  outcome out{e, {}, {}};
  if (e.status == pairing_status::pending_approval && now >= e.created + pending_lifetime)
    out.entry.status = pairing_status::expired;  // sweep() will say the same to the store
  if (e.status != pairing_status::approved || e.released) return out;
  auto minted = d.mint(e.peer_id, now, draw(random));
  e.released = now;
  out.entry = e;
  out.device_token = std::move(minted.token);
  out.changes = std::move(minted.changes);
  out.changes.push_back(change(e));
  return out;
}

store::changes pairing::sweep(base::wall_time now) {
  store::changes out;
  codes_.each([&](const secret_digest& d, const live_code& c) {
    if (c.expires <= now) out.push_back({std::string(codes_table), base::to_hex(d), std::nullopt});
  });
  for (const auto& gone : out) codes_.erase(*digest_from_hex(gone.name));
  for (auto at = entries_.begin(); at != entries_.end();) {
    auto& e = at->second;
    if (e.status == pairing_status::pending_approval && now >= e.created + pending_lifetime) {
      e.status = pairing_status::expired;
      e.updated = now;
      out.push_back(change(e));
    }
    if (has_ended(e.status) && now >= e.updated + kept_after_end) {
      out.push_back({std::string(entries_table), e.id, std::nullopt});
      at = entries_.erase(at);
    } else {
      ++at;
    }
  }
  return out;
}

const onboarding_entry* pairing::find(std::string_view id) const {
  const auto at = entries_.find(id);
  return at != entries_.end() ? &at->second : nullptr;
}

std::vector<const onboarding_entry*> pairing::list(base::wall_time now, std::optional<pairing_status> s) const {
  std::vector<const onboarding_entry*> all;
  for (const auto& [unused, e] : entries_) {
    if (s && e.status != *s) continue;
    if (s == pairing_status::pending_approval && now >= e.created + pending_lifetime) continue;
    all.push_back(&e);
  }
  std::ranges::sort(all, {}, [](const onboarding_entry* e) { return std::tie(e->created, e->id); });
  return all;
}

std::size_t pairing::live_codes(base::wall_time now) const {
  std::size_t n = 0;
  codes_.each([&](const secret_digest&, const live_code& c) { n += c.expires > now; });
  return n;
}

}  // namespace strata::registry
