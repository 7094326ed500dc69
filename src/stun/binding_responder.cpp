#include "stun/binding_responder.hpp"

#include <algorithm>

#include "stun/attributes.hpp"
#include "stun/fingerprint.hpp"
#include "stun/message_writer.hpp"
#include "stun/unknown.hpp"

namespace strata::stun {
namespace {

// RFC 3489 had a 128-bit transaction id where the cookie is now; an answer gives all of it back.
void restore_long_id(base::bytes& out, std::size_t start, const message_view& request) {
  std::copy_n(request.bytes().begin() + 4, 4, out.begin() + static_cast<std::ptrdiff_t>(start) + 4);
}

}  // namespace

// exception: 8489-10-d this server never redirects
// exception: 8489-11-a STUN over DTLS is not served
responder_verdict respond_binding(const responder_policy& policy, base::byte_view datagram, const base::endpoint& from,
                                  base::bytes& out) {
  auto request = message_view::parse(datagram);
  if (!request && request.error() == make_error_code(errc::bad_cookie)) {
    if (!policy.serve_rfc3489) return responder_verdict::not_stun;
    request = message_view::parse_without_cookie(datagram);
    // Without a cookie any bytes might pass for STUN: only the one message that RFC 3489 clients send is taken.
    if (!request || !request->is(message_class::request, method::binding)) return responder_verdict::not_stun;
  }
  if (!request) {
    return is_stun(datagram) ? responder_verdict::malformed : responder_verdict::not_stun;
  }
  // RFC 8489 §6.3.2: indications are never answered; nor are responses, or two servers could talk for ever.
  if (request->class_() != message_class::request) return responder_verdict::not_a_request;
  if (request->method() != method::binding) return responder_verdict::unknown_method;
  const auto fingerprint = check_fingerprint(*request);
  if (fingerprint == fingerprint_check::invalid) return responder_verdict::bad_fingerprint;

  const auto start = out.size();
  const auto id = request->transaction_id();
  const auto unknown = unknown_required(*request);
  const message_class answer = unknown.empty() ? message_class::success : message_class::error;
  message_writer w(out, {answer, method::binding}, id);
  if (!unknown.empty()) {
    w.add(error_code{420, {}}).add(unknown_attribute_list{unknown});  // RFC 8489 §6.3.1.1
  } else if (request->has_cookie()) {
    w.add(xor_mapped_address{{from.address.unmapped(), from.port}});
  } else {
    w.add(mapped_address{{from.address.unmapped(), from.port}});
  }
  if (!policy.software.empty()) w.add(software{policy.software});
  // RFC 8489 §12: not asked of clients; given to those who use it.
  if (fingerprint == fingerprint_check::valid) w.fingerprint();
  if (!request->has_cookie()) restore_long_id(out, start, *request);
  return unknown.empty() ? responder_verdict::answered : responder_verdict::refused;
}

}  // namespace strata::stun
