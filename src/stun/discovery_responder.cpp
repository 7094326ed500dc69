#include "stun/discovery_responder.hpp"

#include <algorithm>
#include <array>

#include "stun/attributes.hpp"
#include "stun/fingerprint.hpp"
#include "stun/message_writer.hpp"
#include "stun/unknown.hpp"

namespace strata::stun {
namespace {

constexpr std::array understood{attribute_type::change_request, attribute_type::padding, attribute_type::response_port};

// The attributes of RFC 5780 in a request; a malformed one is as good as a bad request.
struct wishes {
  change_request change;
  std::optional<std::uint16_t> port;
  std::size_t padded = 0;
  bool any = false, bad = false;
};

wishes read(const message_view& request) {
  wishes w;
  if (request.has(attribute_type::change_request)) {
    const auto c = request.get<change_request>();
    w.any = true;
    if (c) w.change = *c;
    else w.bad = true;
  }
  if (request.has(attribute_type::response_port)) {
    const auto p = request.get<response_port>();
    w.any = true;
    if (p && p->value != 0) w.port = p->value;
    else w.bad = true;
  }
  if (const auto p = request.get<padding>()) {
    w.any = true;
    w.padded = p->bytes.size();
    // RFC 5780 §6.1: fragments are not sent where nobody asked from.
    if (request.has(attribute_type::response_port)) w.bad = true;
  }
  return w;
}

}  // namespace

// exception: 5780-6-b STUN over TLS is not served, so it has no port
discovery_answer respond_discovery(const responder_policy& policy, const discovery_place& place, base::byte_view datagram,
                                   const base::endpoint& from, base::bytes& out) {
  discovery_answer answer;
  answer.to = from;
  const auto request = message_view::parse(datagram);
  if (!request || request->class_() != message_class::request || request->method() != method::binding) {
    auto plain = policy;
    plain.serve_rfc3489 = false;
    answer.verdict = respond_binding(plain, datagram, from, out);  // says why there is no answer
    return answer;
  }
  const auto fingerprint = check_fingerprint(*request);
  if (fingerprint == fingerprint_check::invalid) {
    answer.verdict = responder_verdict::bad_fingerprint;
    return answer;
  }
  const auto wish = read(*request);
  const auto unknown = unknown_required(*request, understood);
  answer.special = wish.any;
  const bool refused = wish.bad || !unknown.empty();
  message_writer w(out, {refused ? message_class::error : message_class::success, method::binding}, request->transaction_id());
  if (!unknown.empty()) {
    w.add(error_code{420, {}}).add(unknown_attribute_list{unknown});
  } else if (wish.bad) {
    w.add(error_code{400, {}});
  } else {
    answer.change_ip = wish.change.change_ip;
    answer.change_port = wish.change.change_port;
    if (wish.port) answer.to.port = *wish.port;
    const base::endpoint mapped{from.address.unmapped(), from.port};
    // RFC 5780 §6.1: both, so that a client can tell whether something on the way rewrites addresses in messages.
    w.add(mapped_address{mapped}).add(xor_mapped_address{mapped});
    w.add(response_origin{place.origin(answer.change_ip, answer.change_port)}).add(other_address{place.other});
    if (wish.padded != 0) {
      // Zeros: nobody gets to choose what this machine sends.
      const base::bytes zeros(wish.padded);
      w.add(padding{zeros});
    }
  }
  if (!policy.software.empty()) w.add(software{policy.software});
  if (fingerprint == fingerprint_check::valid) w.fingerprint();
  answer.verdict = refused ? responder_verdict::refused : responder_verdict::answered;
  return answer;
}

}  // namespace strata::stun
