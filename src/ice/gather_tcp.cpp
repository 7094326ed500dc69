// Host candidates of TCP (RFC 6544 §4.1, §5.1) for each address: one that connects, one that listens, and one that does both
// on one port.
#include <memory>

#include "async/scope.hpp"
#include "ice/priority.hpp"
#include "ice/session.hpp"
#include "net/framed_streams.hpp"
#include "stun/message_view.hpp"

namespace strata::ice {
namespace {

// RFC 6544 §4.5: what connects has no port before it does, and says 9.
constexpr std::uint16_t discard_port = 9;

async::task<> serve(std::shared_ptr<local_base> b) { co_await static_cast<net::framed_streams&>(b->socket).run(); }

net::framed_mode mode_of(tcp_type t) {
  switch (t) {
    case tcp_type::active: return net::framed_mode::active;
    case tcp_type::passive: return net::framed_mode::passive;
    case tcp_type::simultaneous_open: break;
  }
  return net::framed_mode::simultaneous;
}

void open_one(session& s, const planned_base& from, tcp_type direction) {
  net::framed_options options;
  options.mode = mode_of(direction);
  options.connections = s.config.max_pairs;
  // Nobody else's protocol, and no data before a check.
  options.sensible = [](base::byte_view frame) { return stun::message_view::parse(frame).has_value(); };
  const base::endpoint any_port{from.from.address, 0};
  auto socket = net::framed_streams::open(s.host, any_port, options);
  // A base is known by its address: UDP has ports of its own, and one of them may have this number.
  for (int tries = 0; tries < 8 && socket && s.base_at((*socket)->local_endpoint()) != nullptr; ++tries) {
    auto another = net::framed_streams::open(s.host, any_port, options);  // while the first holds its port
    socket = std::move(another);
  }
  if (!socket || s.base_at((*socket)->local_endpoint()) != nullptr) {
    s.note("TCP at " + from.from.address.to_string(), socket ? "no port that UDP does not use" : socket.error().message());
    return;
  }
  auto b = std::make_shared<local_base>(s, std::move(*socket));
  auto& c = b->own;
  c.protocol = transport::tcp;
  c.tcptype = direction;
  c.address = {from.from.address, direction == tcp_type::active ? discard_port : b->socket.local_endpoint().port};
  c.base_address = c.address;
  // RFC 6544 §4.2: addresses in the order of the UDP ones, 8191 for the first.
  c.priority = tcp_priority(c.type, direction, static_cast<std::uint16_t>(8191 - (65535 - from.local_preference) / 256));
  c.foundation = s.local_foundations.of(c.type, c.address.address, std::nullopt, transport::tcp, direction);
  s.scope->spawn("ice tcp", serve, b);
  add_base(s, std::move(b));
}

}  // namespace

void open_tcp_bases(session& s, const planned_base& from) {
  if (s.config.tcp == tcp_policy::none) return;
  open_one(s, from, tcp_type::active);
  if (s.config.tcp != tcp_policy::all) return;
  open_one(s, from, tcp_type::passive);
  open_one(s, from, tcp_type::simultaneous_open);
}

void disconnect(local_base& b, const base::endpoint& peer) {
  if (b.own.protocol == transport::tcp) static_cast<net::framed_streams&>(b.socket).disconnect(peer);
}

}  // namespace strata::ice
