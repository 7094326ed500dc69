#include "stun/short_term.hpp"

#include "stun/attributes/text.hpp"

namespace strata::stun {

void short_term_session::sign(message_writer& request) {
  request.add(username{username_});  // RFC 8489 §9.1.2
  switch (choice_) {
    case integrity_choice::both: request.integrity(key_).integrity_sha256(key_); break;
    case integrity_choice::sha1: request.integrity(key_); break;
    case integrity_choice::sha256: request.integrity_sha256(key_); break;
  }
}

judgement short_term_session::judge(const message_view& m) {
  const bool sha256 = m.integrity_sha256_offset().has_value(), sha1 = m.integrity_offset().has_value();
  if (!sha256 && !sha1) return {reaction::discard, errc::unauthenticated};
  // RFC 8489 §9.1.4: an answer in another algorithm than the one that was asked in is none.
  if ((choice_ == integrity_choice::sha1 && !sha1) || (choice_ == integrity_choice::sha256 && !sha256)) {
    return {reaction::discard, errc::bad_integrity};
  }
  const bool by_sha256 = choice_ != integrity_choice::sha1 && sha256;
  const auto ok = by_sha256 ? check_message_integrity_sha256(m, key_) : check_message_integrity(m, key_);
  if (!ok) return {reaction::discard, ok.error()};
  choice_ = by_sha256 ? integrity_choice::sha256 : integrity_choice::sha1;  // §9.1.5
  return {.authentic = true};
}

}  // namespace strata::stun
