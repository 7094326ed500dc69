#include "turn/server/authenticator.hpp"

#include <algorithm>

#include "stun/attributes/text.hpp"
#include "turn/server/rest_credentials.hpp"

namespace strata::turn::server {

authenticator::authenticator(const rules_config& c, base::bytes nonce_secret) : config_(c) {
  const stun::long_term_gate::config gate{
      .realm = c.realm,
      // A REST username is not known before it is seen, so there is no looking it up by its hash.
      .features = {.password_algorithms = true, .username_anonymity = c.secrets.empty()},
      .nonce_lifetime = c.nonce_lifetime};
  for (std::size_t i = 0; i < std::max<std::size_t>(1, c.secrets.size()); ++i)
    gates_.emplace_back(
        gate, nonce_secret, [this, i](std::string_view name) { return by_name(name, i); },
        [this](const stun::userhash& hash) { return by_hash(hash); });
}

stun::admission authenticator::admit(const stun::message_view& m, const base::endpoint& from, moment t,
                                     std::string_view owner) {
  wall_seconds_ = t.wall_seconds;
  owner_ = owner;
  stun::admission a;
  for (const auto& gate : gates_) {
    a = gate.admit(m, from, t.now);
    if (a.refusal != 401) break;
  }
  return a;
}

void authenticator::challenge(stun::message_writer& answer, const base::endpoint& to, moment t) const {
  gates_.front().challenge(answer, to, t.now);
}

std::optional<stun::long_term_gate::user> authenticator::by_name(std::string_view name, std::size_t secret) const {
  if (const auto at = config_.users.find(name); at != config_.users.end()) return user{at->first, at->second};
  if (secret >= config_.secrets.size()) return std::nullopt;
  const auto rest = rest_username::parse(name);
  if (!rest || (rest->expires <= wall_seconds_ && name != owner_)) return std::nullopt;
  return user{std::string(name), rest_password(config_.secrets[secret], name)};
}

std::optional<stun::long_term_gate::user> authenticator::by_hash(const stun::userhash& hash) const {
  for (const auto& [name, password] : config_.users)
    if (stun::hash_username(name, config_.realm) == hash) return user{name, password};
  return std::nullopt;
}

std::string_view authenticator::user_of(std::string_view username) noexcept {
  const auto rest = rest_username::parse(username);
  return rest && !rest->user.empty() ? rest->user : username;
}

std::string authenticator::username_of(const stun::message_view& m) const {
  if (const auto name = m.get<stun::username>()) return std::string(name->text);
  if (const auto hash = m.get<stun::userhash>())
    if (const auto u = by_hash(*hash)) return u->name;
  return {};
}

}  // namespace strata::turn::server
