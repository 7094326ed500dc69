#include "stun/binding_server.hpp"

#include <array>
#include <string_view>

#include "async/scope.hpp"
#include "async/sleep.hpp"
#include "stun/stream_framer.hpp"

namespace strata::stun {
namespace {

struct outcome {
  std::uint64_t binding_server::counters::* counter;
  std::string_view reason;
};

outcome outcome_of(responder_verdict v) noexcept {
  using c = binding_server::counters;
  switch (v) {
    case responder_verdict::answered: return {&c::answered, {}};
    case responder_verdict::refused: return {&c::refused, {}};
    case responder_verdict::not_stun: return {&c::not_stun, "not STUN"};
    case responder_verdict::malformed: return {&c::malformed, "malformed STUN message"};
    case responder_verdict::bad_fingerprint: return {&c::bad_fingerprint, "FINGERPRINT does not match"};
    case responder_verdict::not_a_request: return {&c::not_a_request, "not a request"};
    case responder_verdict::unknown_method: return {&c::unknown_method, "unknown method"};
  }
  return {&c::not_stun, {}};
}

}  // namespace

binding_server::binding_server(net::host& h, binding_server_config config, trace::tracer tracer)
    : host_(h),
      config_(std::move(config)),
      tracer_(std::move(tracer)),
      limiter_(h.random_u64(), config_.answers_per_second, config_.burst),
      discovery_limiter_(h.random_u64(), config_.discovery_per_second, config_.discovery_burst) {}

bool binding_server::respond(base::byte_view message, const base::endpoint& from) {
  ++counters_.received;
  counters_.received_bytes += message.size();
  out_.clear();
  return count(respond_binding(config_.policy, message, from, out_), from, message.size());
}

bool binding_server::count(responder_verdict v, const base::endpoint& from, std::size_t size) {
  const auto result = outcome_of(v);
  auto reason = result.reason;
  auto counter = result.counter;
  // Only answers are limited: what is dropped costs nobody anything.
  if (!out_.empty() && !limiter_.admit(from.address, host_.now())) {
    out_.clear();
    counter = &counters::rate_limited;
    reason = "more requests than one address may send";
  }
  ++(counters_.*counter);
  if (out_.empty()) tracer_(host_.now(), trace::drop{trace::layer::stun, reason, from, size});
  counters_.sent_bytes += out_.size();
  return !out_.empty();
}

bool binding_server::on_datagram(net::udp_socket& socket, base::byte_view datagram, const base::endpoint& from) {
  if (!respond(datagram, from)) return false;
  if (!socket.send(from, out_)) ++counters_.outbox_full;
  return true;
}

async::task<base::error> binding_server::serve_udp(net::udp_socket& socket) {
  for (;;) {
    const auto batch = co_await socket.receive();
    if (!batch) co_return batch.error();
    for (const auto& d : *batch) on_datagram(socket, d.payload, d.peer);
  }
}

void binding_server::discover(discovery_sockets& sockets, std::size_t n, base::byte_view datagram, const base::endpoint& from) {
  ++counters_.received;
  counters_.received_bytes += datagram.size();
  out_.clear();
  auto answer = respond_discovery(config_.policy, sockets.place(n), datagram, from, out_);
  const bool more_than_bare = answer.verdict == responder_verdict::answered;
  if (more_than_bare && !discovery_limiter_.admit(from.address, host_.now())) {
    ++counters_.discovery_limited;
    out_.clear();
    // What was asked for cannot be had any more; who asked for nothing special is told its address, as anywhere.
    if (answer.special) return;
    auto plain = config_.policy;
    plain.serve_rfc3489 = false;
    answer.verdict = respond_binding(plain, datagram, from, out_);
  } else if (more_than_bare) {
    ++counters_.discovery_answered;
  }
  if (!count(answer.verdict, from, datagram.size())) return;
  auto& socket = sockets.at(discovery_sockets::changed(n, answer.change_ip, answer.change_port));
  if (!socket.send(answer.to, out_)) ++counters_.outbox_full;
}

async::task<base::error> binding_server::serve_one_of(discovery_sockets& sockets, std::size_t n) {
  for (;;) {
    const auto batch = co_await sockets.at(n).receive();
    if (!batch) co_return batch.error();
    for (const auto& d : *batch) discover(sockets, n, d.payload, d.peer);
  }
}

async::task<base::error> binding_server::serve_discovery(discovery_sockets& sockets) {
  const auto [a, b, c, d] = co_await async::first_of(serve_one_of(sockets, 0), serve_one_of(sockets, 1),
                                                     serve_one_of(sockets, 2), serve_one_of(sockets, 3));
  for (const auto* ended : {&a, &b, &c, &d})
    if (*ended) co_return **ended;
  co_return base::error(base::errc::closed);
}

async::task<base::error> binding_server::serve_tcp(net::listener& listener) {
  co_return co_await async::with_scope(async::at_end::cancel, [&](async::scope& s) -> async::task<base::error> {
    for (;;) {
      auto accepted = co_await listener.accept();
      if (!accepted) co_return accepted.error();
      if (connections_ >= config_.tcp_connections) {
        ++counters_.tcp_refused;
        continue;  // the stream goes out of scope, which closes it
      }
      ++counters_.tcp_accepted;
      s.spawn(
          "STUN connection", [this](std::unique_ptr<net::stream> stream) { return serve_connection(std::move(stream)); },
          std::move(*accepted));
    }
  });
}

async::task<> binding_server::serve_connection(std::unique_ptr<net::stream> stream) {
  struct count {
    explicit count(std::size_t& n) noexcept : n_(n) { ++n_; }
    ~count() { --n_; }
    std::size_t& n_;
  } counted(connections_);
  const auto why = co_await answer_frames(*stream);
  tracer_(host_.now(), trace::note{trace::layer::stun, "connection", why.message()});
}

async::task<base::error> binding_server::answer_frames(net::stream& stream) {
  const auto from = stream.remote_endpoint();
  stream_framer framer;
  std::array<std::uint8_t, 2048> buffer;
  for (;;) {
    const auto count = co_await async::with_timeout(config_.tcp_idle, stream.read(buffer));
    if (!count) co_return count.error();
    if (*count == 0) co_return base::error(base::errc::closed);
    framer.append(base::byte_view(buffer).first(*count));
    for (;;) {
      const auto next = framer.next();
      if (!next) co_return next.error();
      if (!*next) break;
      if (!respond((*next)->bytes, from)) continue;
      const auto answer = out_;  // others may use out_ while this one is written
      const auto written = co_await async::with_timeout(config_.tcp_idle, stream.write(answer));
      if (!written) co_return written.error();
    }
  }
}

}  // namespace strata::stun
