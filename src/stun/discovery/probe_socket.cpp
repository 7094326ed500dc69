#include "stun/discovery/probe_socket.hpp"

#include <utility>

#include "stun/attributes.hpp"
#include "stun/binding_responder.hpp"
#include "stun/fingerprint.hpp"
#include "stun/message_writer.hpp"
#include "stun/unknown.hpp"

namespace strata::stun {
namespace {

// A server that knows nothing of CHANGE-REQUEST and answers all the same says nothing about filtering.
bool from_elsewhere(const probe& asked, const base::endpoint& from) noexcept {
  return !(asked.change_ip && from.address == asked.to.address) && !(asked.change_port && from.port == asked.to.port);
}

}  // namespace

void take_answer(observation& into, const message_view& answer) {
  if (answer.class_() == message_class::error) {
    // RFC 5780 §5: whoever does not know CHANGE-REQUEST says 420, which is an answer like any other. A redirection is not
    // followed: it would compare servers that were not chosen.
    const auto code = answer.get<error_code>();
    into.result = probe_result::refused;
    into.trouble = code ? response_error(code->code).message() : "an error without a code";
    return;
  }
  const auto mapped = answer.get<xor_mapped_address>();
  const auto plain = answer.get<mapped_address>();
  if (!mapped && !plain) {
    into.result = probe_result::failed;
    into.trouble = "an answer without an address";
    return;
  }
  into.result = probe_result::answered;
  into.mapped = mapped ? mapped->endpoint : plain->endpoint;
  if (plain) into.plain_mapped = plain->endpoint;
  if (const auto other = answer.get<other_address>()) into.other = other->endpoint;
}

probe_socket::probe_socket(net::host& h, std::unique_ptr<net::udp_socket> socket, probe_options o)
    : host_(h),
      socket_(std::move(socket)),
      options_(o),
      table_(h, [this](const base::endpoint& to, base::byte_view d) { return socket_->send(to, d); }) {}

base::result<std::unique_ptr<probe_socket>> probe_socket::open(net::host& h, base::ip_family family, probe_options o) {
  auto socket = h.bind_udp({base::ip_address::any(family), 0});
  if (!socket) return base::fail(socket.error());
  return std::unique_ptr<probe_socket>(new probe_socket(h, std::move(*socket), o));
}

async::task<> probe_socket::receive() {
  base::bytes answer;
  for (;;) {
    const auto batch = co_await socket_->receive();
    if (!batch) {
      table_.fail_all(batch.error());
      co_return;
    }
    for (const auto& d : *batch) {
      const auto m = message_view::parse(d.payload);
      if (!m) continue;
      if (m->is_response()) {
        table_.on_response(*m, d.peer);
        continue;
      }
      answer.clear();
      if (respond_binding({.serve_rfc3489 = false}, d.payload, d.peer, answer) == responder_verdict::answered)
        socket_->send(d.peer, answer);
    }
  }
}

async::task<observation> probe_socket::ask(probe p) {
  observation seen;
  seen.asked = p;
  seen.local = socket_->local_endpoint();
  base::bytes request;
  message_writer w(request, {message_class::request, method::binding}, table_.new_id());
  const bool change = p.change_ip || p.change_port;
  if (change) w.add(change_request{p.change_ip, p.change_port});
  if (options_.fingerprint) w.fingerprint();
  const auto judge = [this](const message_view& m, const base::endpoint&) -> judgement {
    const auto fingerprint = check_fingerprint(m);
    if (fingerprint == fingerprint_check::invalid || (options_.fingerprint && fingerprint == fingerprint_check::absent))
      return {reaction::ignore, errc::bad_fingerprint};
    if (m.method() != method::binding) return {reaction::ignore, errc::bad_value};
    if (!unknown_required(m).empty()) return {reaction::fail, errc::unknown_attribute};
    return {};
  };
  // An answer from another address is what the filtering tests are about; hairpinned ones come from wherever the NAT likes.
  const bool anywhere = change || p.kind == probe_kind::hairpin;
  const auto answer =
      co_await table_.transact(p.to, std::move(request), {.schedule = options_.schedule, .match_source = !anywhere}, judge);
  if (!answer) {
    seen.result = answer.error() == base::errc::timed_out ? probe_result::silent : probe_result::failed;
    if (seen.result == probe_result::failed) seen.trouble = answer.error().message();
    co_return seen;
  }
  take_answer(seen, answer->message());
  if (answer->transmissions == 1) seen.rtt = answer->round_trip;
  if (seen.result == probe_result::answered && !from_elsewhere(p, answer->from)) {
    seen.result = probe_result::failed;
    seen.trouble = "answered from the address that was asked";
  }
  co_return seen;
}

}  // namespace strata::stun
