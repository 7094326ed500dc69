// TURN messages as a client writes them, by hand: the tests want to be able to get them wrong.
#pragma once

#include <functional>
#include <string>

#include "stun/attributes.hpp"
#include "stun/credentials.hpp"
#include "stun/message_writer.hpp"

namespace strata::test {

struct login {
  std::string username, password, realm = "strata", nonce = {};
};

using filler = std::function<void(stun::message_writer&)>;

inline stun::transaction_id fresh_id() {
  static std::uint32_t count = 0;
  ++count;
  return {1,
          2,
          3,
          4,
          5,
          6,
          7,
          8,
          static_cast<std::uint8_t>(count >> 24),
          static_cast<std::uint8_t>(count >> 16),
          static_cast<std::uint8_t>(count >> 8),
          static_cast<std::uint8_t>(count)};
}

// Signed when `who` has a nonce.
inline base::bytes request(stun::method m, const filler& fill = {}, const login& who = {},
                           const stun::transaction_id& id = fresh_id()) {
  base::bytes out;
  stun::message_writer w(out, {stun::message_class::request, m}, id);
  if (fill) fill(w);
  if (!who.nonce.empty()) {
    w.add(stun::username{who.username}).add(stun::realm{who.realm}).add(stun::nonce{who.nonce});
    w.integrity(stun::long_term_key(who.username, who.realm, who.password));
  }
  return out;
}

inline base::bytes send_indication(const base::endpoint& peer, std::string_view data, const filler& more = {}) {
  base::bytes out;
  stun::message_writer w(out, {stun::message_class::indication, stun::method::send}, fresh_id());
  w.add(stun::xor_peer_address{peer}).add(stun::data{base::as_bytes(data)});
  if (more) more(w);
  return out;
}

inline base::endpoint at(std::string_view text) { return *base::endpoint::parse(text); }

inline void udp(stun::message_writer& w) { w.add(stun::requested_transport{}); }

inline filler towards(std::initializer_list<base::endpoint> peers) {
  return [list = std::vector(peers)](stun::message_writer& w) {
    for (const auto& p : list) w.add(stun::xor_peer_address{p});
  };
}

inline filler channel(std::uint16_t number, const base::endpoint& peer) {
  return [=](stun::message_writer& w) { w.add(stun::channel_number{number}).add(stun::xor_peer_address{peer}); };
}

inline int code_of(base::byte_view answer) {
  const auto m = stun::message_view::parse(answer);
  if (!m) return -1;
  if (m->class_() == stun::message_class::success) return 0;
  const auto e = m->get<stun::error_code>();
  return e ? e->code : -1;
}

}  // namespace strata::test
