// A peer that does exactly what a test tells it: one socket, checks sent by hand, answers by a policy.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agents.hpp"
#include "ice/check_message.hpp"
#include "stun/attributes.hpp"
#include "stun/message_writer.hpp"

namespace strata::ice::testing {

struct scripted_peer {
  struct request {
    base::endpoint from;
    base::bytes wire;
    received_check check;
    base::instant at;
    [[nodiscard]] stun::message_view message() const { return *stun::message_view::parse(wire); }
  };

  explicit scripted_peer(sim::host& h, std::uint16_t port = 4000)
      : host(h), socket(*h.bind_udp({h.address(), port})), key(stun::short_term_key(local.pwd)) {}

  [[nodiscard]] base::endpoint address() const { return socket->local_endpoint(); }
  [[nodiscard]] candidate as_candidate(std::uint32_t priority = 2130706431) const {
    candidate c;
    c.foundation = "1";
    c.priority = priority;
    c.address = address();
    return c;
  }

  async::task<> run() {
    for (;;) {
      const auto batch = co_await socket->receive();
      if (!batch) co_return;
      for (const auto& d : *batch) take(d.peer, d.payload);
    }
  }

  void take(const base::endpoint& from, base::byte_view payload) {
    const auto m = stun::message_view::parse(payload);
    if (!m) {
      data.emplace_back(base::as_text(payload));
    } else if (m->is_response()) {
      responses[m->transaction_id()] = base::to_bytes(payload);
    } else {
      requests.push_back({from, base::to_bytes(payload), read_check(*m, local.ufrag, key), host.now()});
      if (answer) answer(requests.back());
    }
    arrived.pulse();
  }

  // Policies.
  void answer_with_success(const request& r) {
    socket->send(r.from, encode_success(r.message().transaction_id(), r.from, key));
  }
  void answer_with_error(const request& r, int code) { socket->send(r.from, encode_error(r.message(), code, key)); }

  // Sends a check and waits for the answer: 0 for success, the error code, or nothing.
  async::task<std::optional<int>> check(const description& other, base::endpoint to, bool use_candidate = false,
                                        role as = {true, 1}, std::optional<std::string> password = {},
                                        std::uint32_t nomination = 0) {
    stun::transaction_id id;
    host.random(id);
    const auto wire = encode_check({check_username(other.ufrag, local.ufrag), 1862270975, as, use_candidate, nomination}, id,
                                   stun::short_term_key(password.value_or(other.pwd)));
    socket->send(to, wire);
    for (const auto late = host.now() + 2s; host.now() < late && !responses.contains(id);)
      co_await async::with_timeout(late - host.now(), next());
    if (!responses.contains(id)) co_return std::nullopt;
    const auto m = *stun::message_view::parse(responses[id]);
    last_response = responses[id];
    if (const auto e = m.get<stun::error_code>()) co_return e->code;
    co_return 0;
  }
  async::task<> next() { co_await arrived.wait(); }
  async::task<> until_requests(std::size_t count) {
    while (requests.size() < count) co_await arrived.wait();
  }

  sim::host& host;
  std::unique_ptr<net::udp_socket> socket;
  description local{.ufrag = "peer", .pwd = "passwordofthescriptedpeer"};
  stun::integrity_key key;
  std::function<void(const request&)> answer = [this](const request& r) { answer_with_success(r); };
  std::deque<request> requests;  // stays in place while it grows
  std::map<stun::transaction_id, base::bytes> responses;
  base::bytes last_response;
  std::vector<std::string> data;
  async::event arrived;
};

// Runs one agent and scripted peers beside the body.
template <class Body>
void with_scripted(sim::network& net, agent& a, std::vector<scripted_peer*> peers, Body body) {
  net.run([](agent& a, std::vector<scripted_peer*>& peers, Body& body) -> async::task<> {
    co_await async::with_scope(async::at_end::cancel, [&](async::scope& s) -> async::task<> {
      s.spawn("agent", [&a] { return a.run(); });
      for (auto* p : peers) s.spawn("scripted peer", [p] { return p->run(); });
      co_await a.gathered();
      co_await body();
    });
  }(a, peers, body));
}

}  // namespace strata::ice::testing
