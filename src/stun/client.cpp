#include "stun/client.hpp"

#include <utility>

#include "async/sleep.hpp"
#include "stun/attributes.hpp"
#include "stun/fingerprint.hpp"
#include "stun/registry.hpp"
#include "stun/unknown.hpp"

namespace strata::stun {
namespace {

constexpr base::duration redirect_memory = std::chrono::minutes(5);
constexpr unsigned most_challenges = 5;  // in a row: a server that calls each new nonce stale is not asked for ever

int code_of(const message_view& m) {
  const auto e = m.get<error_code>();
  return e ? e->code : 0;
}

}  // namespace

// RFC 8489 §6.2: at most so many requests to one server at a time; the others wait here.
class client::turn {
 public:
  turn(client& c, const base::endpoint& server) : client_(c), at_(c.lanes_.try_emplace(server).first) { ++at_->second.users; }
  ~turn() {
    if (running_) {
      --at_->second.running;
      at_->second.freed.pulse();
    }
    if (--at_->second.users == 0) client_.lanes_.erase(at_);
  }
  turn(const turn&) = delete;
  turn& operator=(const turn&) = delete;

  async::task<> wait() {
    while (at_->second.running >= client_.config_.outstanding_per_server) co_await at_->second.freed.wait();
    ++at_->second.running;
    running_ = true;
  }

 private:
  client& client_;
  std::map<base::endpoint, lane>::iterator at_;
  bool running_ = false;
};

client::client(net::host& h, transmit_function transmit, client_config config, std::unique_ptr<session> credentials,
               trace::tracer tracer)
    : host_(h),
      config_(std::move(config)),
      session_(std::move(credentials)),
      tracer_(std::move(tracer)),
      rtos_(config_.rto),
      table_(h, std::move(transmit)) {}

bool client::on_datagram(base::byte_view datagram, const base::endpoint& from) {
  const auto m = message_view::parse(datagram);
  if (m) return table_.on_response(*m, from);
  tracer_(host_.now(), trace::drop{trace::layer::stun, "not a STUN message", from, datagram.size()});
  return false;
}

base::result<base::bytes> client::build(stun::method m, const attributes_function& add) {
  base::bytes out;
  // RFC 8489 §6.1: every attempt is a new transaction with a new id.
  message_writer w(out, {message_class::request, m}, table_.new_id());
  if (!config_.software.empty()) w.add(software{config_.software});
  if (add) add(w);
  if (session_) session_->sign(w);
  if (config_.fingerprint) w.fingerprint();
  if (const auto ok = w.status(); !ok) return base::fail(ok.error());
  return out;
}

judgement client::judge(stun::method m, const std::vector<attribute_type>& known, const message_view& answer) const {
  // RFC 8489 §6.3: where FINGERPRINT is in use a message without a right one is somebody else's.
  const auto fingerprint = check_fingerprint(answer);
  if (fingerprint == fingerprint_check::invalid || (config_.fingerprint && fingerprint == fingerprint_check::absent)) {
    return {reaction::ignore, errc::bad_fingerprint};
  }
  if (answer.method() != m) return {reaction::ignore, errc::bad_value};
  const auto verdict = session_ ? session_->judge(answer) : judgement{};
  if (verdict.what != reaction::accept) return verdict;
  // RFC 8489 §6.3.3, §6.3.4
  if (!unknown_required(answer, known).empty()) return {reaction::fail, errc::unknown_attribute};
  if (answer.class_() == message_class::error) {
    const auto code = answer.get<error_code>();
    if (!code) return {reaction::fail, code.error()};
    if (code->code / 100 == 3) {
      if (!config_.follow_redirects) return {reaction::fail, errc::redirected};
      // RFC 8489 §14.8: an unsigned redirection would let anybody send us elsewhere.
      if (!verdict.authentic) return {reaction::ignore, errc::unauthenticated};
    }
  }
  return verdict;
}

async::task<base::result<response>> client::request(base::endpoint server, stun::method m, attributes_function add,
                                                    std::vector<attribute_type> known) {
  turn t(*this, server);
  co_await t.wait();
  for (unsigned server_errors = 0, challenges = 0;;) {
    auto message = build(m, add);
    if (!message) co_return base::fail(message.error());
    transaction_options options;
    options.schedule = config_.reliable
                           ? retransmission::over_tcp(config_.ti)
                           : retransmission::over_udp(rtos_.rto(server.address, host_.now()), config_.rc, config_.rm);
    bool again = false;
    auto answer =
        co_await table_.transact(server, std::move(*message), options, [&](const message_view& a, const base::endpoint&) {
          const auto verdict = judge(m, known, a);
          again = verdict.what == reaction::retry;
          return verdict;
        });
    if (!answer) co_return base::fail(answer.error());
    if (answer->transmissions == 1) rtos_.sample(server.address, answer->round_trip, host_.now());
    const auto view = answer->message();
    if (view.class_() == message_class::success) co_return std::move(*answer);
    if (again && ++challenges < most_challenges) continue;  // RFC 8489 §9.2.5: with what the challenge asked for

    const int code = code_of(view);
    tracer_(host_.now(), trace::note{trace::layer::stun, name_of(m), response_error(code).message()});
    if (code / 100 == 3) {
      const auto next = redirect(view, server);
      if (!next) co_return base::fail(next.error());
      server = *next;
      if (session_) session_->restart();
      continue;
    }
    // RFC 8489 §6.3.4: a server in trouble may be asked again, a few times; leaving it alone in between is our addition.
    if (code / 100 == 5 && server_errors < config_.server_error_retries) {
      co_await async::sleep_for(config_.rto * (1u << server_errors++));
      continue;
    }
    co_return base::fail(response_error(code));
  }
}

base::result<base::endpoint> client::redirect(const message_view& answer, const base::endpoint& from) {
  const auto now = host_.now();
  std::erase_if(tried_, [&](const auto& t) { return now - t.second >= redirect_memory; });
  tried_.insert_or_assign(from, now);
  const auto alternate = answer.get<alternate_server>();
  if (!alternate) return base::fail(alternate.error());
  // RFC 8489 §14.15: of the family that the request went to. Anything else is a mistake, and would need another socket.
  if (alternate->endpoint.address.family() != from.address.family()) return base::fail(errc::bad_value);
  alternate_ = alternate->endpoint;
  // exception: 8489-10-c a redirection of a connection, with or without TLS, is reported and not followed: it needs another one
  if (config_.reliable) return base::fail(errc::redirected);
  if (tried_.contains(alternate->endpoint)) return base::fail(errc::redirect_loop);
  return alternate->endpoint;
}

async::task<base::result<binding_result>> client::binding(base::endpoint server) {
  // RFC 5780 §7.3, §7.4: what a server of that kind adds is optional to understand, so nothing has to be listed as known.
  auto answer = co_await request(server, method::binding);
  if (!answer) co_return base::fail(answer.error());
  const auto m = answer->message();
  binding_result result{{}, answer->from, answer->round_trip, answer->transmissions, std::nullopt, {}};
  // RFC 8489 §6.3.3: an address of a family that nobody knows is as good as none.
  if (const auto x = m.get<xor_mapped_address>()) result.mapped = x->endpoint;
  else if (const auto plain = m.get<mapped_address>()) result.mapped = plain->endpoint;
  else co_return base::fail(errc::missing_attribute, base::error::nowhere, "XOR-MAPPED-ADDRESS");
  if (const auto other = m.get<other_address>()) result.other_address = other->endpoint;
  if (const auto s = m.get<software>()) result.software = s->text;
  co_return result;
}

}  // namespace strata::stun
