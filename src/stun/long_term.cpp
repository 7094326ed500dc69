#include "stun/long_term.hpp"

#include "stun/attributes/error.hpp"
#include "stun/attributes/text.hpp"
#include "stun/nonce_cookie.hpp"

namespace strata::stun {
namespace {

// RFC 8489 §9.2.5: the nonce says that there are algorithms to choose from, and the list is gone: somebody bids down.
bool list_was_stripped(const message_view& m) {
  const auto n = m.get<nonce>();
  const auto features = n ? read_nonce_cookie(n->text) : std::nullopt;
  return features && features->password_algorithms && !m.has(attribute_type::password_algorithms);
}

}  // namespace

void long_term_session::sign(message_writer& request) {
  signed_last_ = key_.has_value();
  if (!key_) return;  // §9.2.3.1: the first request carries nothing of this
  if (hide_username_) request.add(hash_username(username_, realm_));
  else request.add(username{username_});
  request.add(realm{realm_}).add(nonce{nonce_});
  if (!algorithms_) {
    request.integrity(*key_);
    return;
  }
  // §9.2.5: the server's list unchanged, what was chosen from it, and from then on the stronger integrity alone.
  request.add(password_algorithms{*algorithms_}).add(password_algorithm{chosen_, {}});
  request.integrity_sha256(*key_);
}

judgement long_term_session::judge(const message_view& m) {
  if (m.class_() == message_class::error) {
    const auto error = m.get<error_code>();
    const int code = error ? error->code : 0;
    if (code == 401 || code == 438) return take_challenge(m, code);
    // §9.2.5: anybody can make an unsigned 400.
    if (code == 400 && signed_last_ && !m.integrity_offset() && !m.integrity_sha256_offset()) {
      return {reaction::ignore, errc::unauthenticated};
    }
  }
  if (list_was_stripped(m)) return {reaction::ignore, errc::bid_down};
  if (!signed_last_) return {};
  const auto ok = algorithms_ ? check_message_integrity_sha256(m, *key_) : check_integrity(m, *key_);
  if (!ok) return {reaction::discard, ok.error()};
  return {.authentic = true};
}

void long_term_session::restart() { *this = long_term_session(username_, password_); }

judgement long_term_session::take_challenge(const message_view& m, int code) {
  if (list_was_stripped(m)) return {reaction::fail, errc::bid_down};
  const auto new_realm = m.get<realm>();
  const auto new_nonce = m.get<nonce>();
  if (!new_nonce || (!new_realm && (code == 401 || !key_))) return {reaction::fail, errc::missing_attribute};

  const std::string asked_realm(new_realm ? new_realm->text : std::string_view(realm_));
  std::optional<base::bytes> list;
  auto choice = algorithm::md5;
  if (m.has(attribute_type::password_algorithms)) {
    const auto offered = m.get<password_algorithms>();
    if (!offered) return {reaction::fail, offered.error()};
    // The first in the server's order that is known here.
    const bool found = offered->any([&](const password_algorithm& a) {
      if (a.algorithm != algorithm::md5 && a.algorithm != algorithm::sha256) return false;
      choice = a.algorithm;
      return true;
    });
    if (!found) return {reaction::fail, errc::no_common_algorithm};
    list = base::to_bytes(offered->wire_form);
  }
  const bool same_key = key_ && asked_realm == realm_ && choice == chosen_ && list.has_value() == algorithms_.has_value();
  // §9.2.5: the same name and password will not be better the second time. (438 says that only the nonce was too old.)
  if (code == 401 && signed_last_ && same_key) return {reaction::fail, errc::bad_credentials};

  const auto features = read_nonce_cookie(new_nonce->text);
  hide_username_ = features && features->username_anonymity;
  realm_ = asked_realm;
  nonce_ = new_nonce->text;
  algorithms_ = std::move(list);
  chosen_ = choice;
  if (!same_key) key_ = long_term_key(username_, realm_, password_, chosen_);
  return {reaction::retry, response_error(code)};
}

}  // namespace strata::stun
