#include "ice/check_message.hpp"

#include <array>

#include "stun/attributes.hpp"
#include "stun/fingerprint.hpp"
#include "stun/message_writer.hpp"
#include "stun/registry.hpp"
#include "stun/unknown.hpp"

namespace strata::ice {
namespace {

using stun::message_class;
using stun::method;

// RFC 8445 §16.1: what a check may carry that must be understood.
constexpr std::array understood = {stun::attribute_type::priority, stun::attribute_type::use_candidate};

}  // namespace

std::string check_username(std::string_view receiver_ufrag, std::string_view sender_ufrag) {
  return std::string(receiver_ufrag) + ':' + std::string(sender_ufrag);
}

base::bytes encode_check(const check_request& c, const stun::transaction_id& id, const stun::integrity_key& key) {
  base::bytes out;
  stun::message_writer w(out, {message_class::request, method::binding}, id);
  w.add(stun::username{c.username}).add(stun::priority{c.priority});
  // RFC 8445 §7.1.3; the tie-breaker travels with every request of the session.
  if (c.sender.controlling) w.add(stun::ice_controlling{c.sender.tie_breaker});
  else w.add(stun::ice_controlled{c.sender.tie_breaker});
  // RFC 8445 §7.1.2: never from the controlled side.
  if (c.use_candidate && c.sender.controlling) {
    w.add(stun::use_candidate{});
    if (c.nomination != 0) w.add(stun::nomination{c.nomination});
  }
  w.integrity(key).fingerprint();
  return out;
}

base::bytes encode_success(const stun::transaction_id& id, const base::endpoint& mapped, const stun::integrity_key& key) {
  base::bytes out;
  stun::message_writer w(out, {message_class::success, method::binding}, id);
  w.add(stun::xor_mapped_address{mapped});
  w.integrity(key).fingerprint();
  return out;
}

base::bytes encode_error(const stun::message_view& request, int code, const stun::integrity_key& key) {
  base::bytes out;
  stun::message_writer w(out, {message_class::error, method::binding}, request.transaction_id());
  // Who asked has proved nothing yet: a short question gets a short answer, or we would multiply octets toward a victim.
  const bool brief = request.bytes().size() < 40;
  w.add(stun::error_code{code, brief ? std::string_view() : stun::reason_phrase(code)});
  if (code == 420) w.add(stun::unknown_attribute_list{stun::unknown_required(request, understood)});
  if (code == 400 || code == 401) {
    // RFC 8489 §7: for those who use it, and every check does.
    if (stun::check_fingerprint(request) == stun::fingerprint_check::valid) w.fingerprint();
  } else {
    w.integrity(key).fingerprint();
  }
  return out;
}

received_check read_check(const stun::message_view& m, std::string_view own_ufrag, const stun::integrity_key& own_key) {
  // RFC 8489 §9.1.3
  const auto username = m.get<stun::username>();
  if (!username || !m.integrity_offset()) return {.refuse = 400, .why = "a check without USERNAME or MESSAGE-INTEGRITY"};
  // RFC 8445 §7.3: only the part before the colon is ours to judge; the peer's fragment may not be known yet.
  const auto colon = username->text.find(':');
  if (colon == std::string_view::npos || username->text.substr(0, colon) != own_ufrag)
    return {.refuse = 401, .why = "a check with another session's USERNAME"};
  if (!stun::check_message_integrity(m, own_key)) return {.refuse = 401, .why = "a check with a wrong password"};
  if (!stun::unknown_required(m, understood).empty()) return {.refuse = 420, .why = "a check with unknown attributes"};

  received_check r;
  // RFC 8445 §7.1.1: always there, 1 to 2^31-1. It becomes the priority of what the check discovers.
  const auto priority = m.get<stun::priority>();
  if (!priority || priority->value == 0 || priority->value > 0x7fffffff)
    return {.refuse = 400, .why = "a check without valid PRIORITY"};
  r.priority = priority->value;
  r.use_candidate = m.has(stun::attribute_type::use_candidate);
  if (const auto nomination = m.get<stun::nomination>()) r.nomination = nomination->value;
  if (const auto controlling = m.get<stun::ice_controlling>()) r.sender = role{true, controlling->value};
  else if (const auto controlled = m.get<stun::ice_controlled>()) r.sender = role{false, controlled->value};
  return r;
}

stun::judgement judge_response(const stun::message_view& m, const stun::integrity_key& key) {
  using stun::reaction;
  if (m.integrity_offset()) {
    if (auto genuine = stun::check_message_integrity(m, key); !genuine) return {reaction::ignore, genuine.error()};
    return {};
  }
  if (m.class_() == message_class::error)
    if (const auto e = m.get<stun::error_code>(); e && (e->code == 400 || e->code == 401)) return {};
  return {reaction::ignore, stun::errc::unauthenticated};
}

base::result<check_answer> read_answer(const stun::message_view& m) {
  if (m.class_() == message_class::error) {
    const auto e = m.get<stun::error_code>();
    if (!e) return base::fail(e.error());
    return check_answer{.error = e->code};
  }
  // RFC 8489 §6.3.3: a success that needs something we do not know is no success.
  if (!stun::unknown_required(m, understood).empty()) return base::fail(stun::errc::unknown_attribute);
  const auto mapped = m.get<stun::xor_mapped_address>();
  if (!mapped) return base::fail(mapped.error());
  return check_answer{.mapped = mapped->endpoint};
}

}  // namespace strata::ice
