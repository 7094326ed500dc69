#include "stun/server_auth.hpp"

#include <algorithm>
#include <array>

#include "base/byte_writer.hpp"
#include "base/hex.hpp"
#include "stun/attributes/text.hpp"
#include "stun/wire.hpp"

namespace strata::stun {
namespace {

constexpr std::size_t time_digits = 16, code_digits = 32;

admission refuse(int code, std::string_view reason) { return {.refusal = code, .reason = reason}; }

admission check(const message_view& m, const integrity_key& key) {
  // RFC 8489 §9.1.3, §9.2.4: where both integrity attributes are present the stronger one is verified.
  if (!check_integrity(m, key)) return refuse(401, "integrity does not match");
  return {.key = key, .sha256 = m.integrity_sha256_offset().has_value()};
}

bool has_integrity(const message_view& m) noexcept { return m.integrity_offset() || m.integrity_sha256_offset(); }

}  // namespace

void admission::sign(message_writer& answer) const {
  if (!key) return;
  if (sha256) answer.integrity_sha256(*key);
  else answer.integrity(*key);
}

admission admit_short_term(const message_view& m, const find_key& find) {
  const auto name = m.get<username>();
  if (!has_integrity(m) || !name) return refuse(400, "USERNAME or integrity is missing");
  const auto key = find(name->text);
  if (!key) return refuse(401, "unknown USERNAME");
  auto a = check(m, *key);
  if (a.admitted()) a.username = name->text;
  return a;
}

long_term_gate::long_term_gate(config c, base::bytes secret, find_user by_name, find_hash by_hash)
    : config_(std::move(c)), secret_(std::move(secret)), by_name_(std::move(by_name)), by_hash_(std::move(by_hash)) {
  base::byte_writer w(algorithms_);
  for (const auto a : config_.algorithms) {
    w.u16(static_cast<std::uint16_t>(a));
    w.u16(0);
  }
}

// The cookie, the time in hex, and half an HMAC over both and the client's transport address, so that no two clients are
// ever given the same nonce and none can be carried to another address (RFC 8489 §9.2.4).
std::string long_term_gate::make_nonce(const base::endpoint& to, base::instant when) const {
  base::bytes time;
  base::byte_writer(time).u64(static_cast<std::uint64_t>(when.time_since_epoch().count()));
  std::string text = make_nonce_cookie(config_.features) + base::to_hex(time);
  const std::array<std::uint8_t, 2> port{static_cast<std::uint8_t>(to.port >> 8), static_cast<std::uint8_t>(to.port)};
  const auto code = crypto::hmac_sha256(secret_, {base::as_bytes(text), to.address.octets(), port});
  return text + base::to_hex(base::byte_view(code).first(code_digits / 2));
}

bool long_term_gate::nonce_is_fresh(std::string_view text, const base::endpoint& from, base::instant now) const {
  const auto prefix = nonce_cookie.size() + 4;
  if (text.size() != prefix + time_digits + code_digits) return false;
  const auto time = base::from_hex(text.substr(prefix, time_digits));
  if (!time || time->size() != 8) return false;
  const base::instant issued(base::duration(static_cast<std::int64_t>(wire::u64(*time, 0))));
  if (!crypto::constant_time_equal(base::as_bytes(make_nonce(from, issued)), base::as_bytes(text))) return false;
  return issued <= now && now - issued <= config_.nonce_lifetime;
}

// RFC 8489 §9.2.4: neither attribute means MD5; otherwise both have to be there, the list exactly as it was announced, and
// the choice one of it. nullopt: 400.
std::optional<algorithm> long_term_gate::agreed_algorithm(const message_view& m) const {
  const auto n = m.get<nonce>();
  const auto features = n ? read_nonce_cookie(n->text) : std::nullopt;
  const bool has_list = m.has(attribute_type::password_algorithms), has_choice = m.has(attribute_type::password_algorithm);
  if (!features || !features->password_algorithms || (!has_list && !has_choice)) return algorithm::md5;
  const auto list = m.get<password_algorithms>();
  const auto choice = m.get<password_algorithm>();
  if (!list || !choice || !std::ranges::equal(list->wire_form, algorithms_)) return std::nullopt;
  if (std::ranges::find(config_.algorithms, choice->algorithm) == config_.algorithms.end()) return std::nullopt;
  return choice->algorithm;
}

admission long_term_gate::admit(const message_view& m, const base::endpoint& from, base::instant now) const {
  if (!has_integrity(m)) return refuse(401, "no integrity");
  const auto name = m.get<username>();
  const auto hash = m.get<userhash>();
  const auto asked_realm = m.get<realm>();
  const auto asked_nonce = m.get<nonce>();
  if ((!name && !hash) || !asked_realm || !asked_nonce) return refuse(400, "USERNAME, REALM or NONCE is missing");
  const auto digest = agreed_algorithm(m);
  if (!digest) return refuse(400, "PASSWORD-ALGORITHMS is not what was announced");
  const auto who = name ? by_name_(name->text) : by_hash_(*hash);
  if (!who || asked_realm->text != config_.realm) return refuse(401, "unknown user or realm");
  auto a = check(m, long_term_key(who->name, config_.realm, who->password, *digest));
  if (a.admitted() && !nonce_is_fresh(asked_nonce->text, from, now)) return refuse(438, "the nonce is too old");
  return a;
}

void long_term_gate::challenge(message_writer& answer, const base::endpoint& to, base::instant now) const {
  const auto fresh = make_nonce(to, now);
  answer.add(realm{config_.realm}).add(nonce{fresh});
  if (config_.features.password_algorithms) answer.add(password_algorithms{algorithms_});
}

}  // namespace strata::stun
