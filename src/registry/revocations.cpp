#include "registry/revocations.hpp"

#include "registry/stored.hpp"

namespace strata::registry {
namespace {

constexpr std::string_view jti_prefix = "jti:", peer_prefix = "peer:";

}  // namespace

store::change revocations::change(const std::string& jti, std::int64_t kept_until) const {
  return {std::string(table), std::string(jti_prefix) + jti, base::json::make({{"until", kept_until}}).dump()};
}

store::change revocations::change(const std::string& peer_id, const peer_entry& e) const {
  return {std::string(table), std::string(peer_prefix) + peer_id,
          base::json::make({{"issued_until", e.issued_until}, {"until", e.kept_until}}).dump()};
}

base::result<void> revocations::load(std::span<const store::record> records) {
  revocations fresh(most_tokens_);
  for (const auto& r : records) {
    stored_reader v(r.value);
    const auto until = v.number("until");
    const std::string_view name = r.name;
    if (name.starts_with(jti_prefix)) fresh.tokens_.emplace(name.substr(jti_prefix.size()), until);
    else if (name.starts_with(peer_prefix))
      fresh.peers_.emplace(name.substr(peer_prefix.size()), peer_entry{v.number("issued_until"), until});
    else v.spoil();
    if (!v.good()) return base::fail(stored_errc::damaged, base::error::nowhere, "a revocation");
  }
  *this = std::move(fresh);
  return {};
}

store::changes revocations::revoke_token(const claims& c, base::wall_time now) {
  if (cover(c)) return {};
  if (tokens_.size() >= most_tokens_) return revoke_peer(c.sub, now);
  const auto at = tokens_.emplace(c.jti, c.exp + clock_leeway).first;
  return {change(at->first, at->second)};
}

store::changes revocations::revoke_peer(std::string_view peer_id, base::wall_time now) {
  const auto seconds = unix_seconds(now);
  const peer_entry e{seconds, seconds + token_lifetime.count() + clock_leeway};
  auto& kept = peers_.try_emplace(std::string(peer_id), e).first->second;
  // A clock that was set back takes nothing out of force.
  if (kept.issued_until < e.issued_until) kept = e;
  return {change(std::string(peer_id), kept)};
}

store::changes revocations::sweep(base::wall_time now) {
  const auto seconds = unix_seconds(now);
  store::changes gone;
  std::erase_if(tokens_, [&](const auto& t) {
    if (t.second > seconds) return false;
    gone.push_back({std::string(table), std::string(jti_prefix) + t.first, std::nullopt});
    return true;
  });
  std::erase_if(peers_, [&](const auto& p) {
    if (p.second.kept_until > seconds) return false;
    gone.push_back({std::string(table), std::string(peer_prefix) + p.first, std::nullopt});
    return true;
  });
  return gone;
}

bool revocations::cover(const claims& c) const {
  if (tokens_.contains(c.jti)) return true;
  const auto at = peers_.find(c.sub);
  return at != peers_.end() && c.iat <= at->second.issued_until;
}

}  // namespace strata::registry
