#include "simulation/enemy.hpp"

#include <algorithm>

namespace strata::simulation {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t most_targets = 64, most_captured = 64;

// RFC 8489 §5: the shortest request there is.
base::bytes binding_request(sim::generator& g) {
  base::bytes b{0x00, 0x01, 0x00, 0x00, 0x21, 0x12, 0xa4, 0x42};
  b.resize(20);
  g.fill(base::byte_span(b).subspan(8));
  return b;
}

bool is_enemy(const base::ip_address& a) { return a == address_of(enemy::way::forges) || a == address_of(enemy::way::replays); }

}  // namespace

base::ip_address address_of(enemy::way w) {
  return *base::ip_address::parse(w == enemy::way::forges ? "203.0.113.66" : "203.0.113.67");
}

void enemy::saw(const sim::packet_event& e) {
  const auto& p = e.packet;
  if (e.what != sim::packet_event::moment::sent || p.protocol != sim::protocol::udp || p.destination.address.is_multicast() ||
      !p.destination.address.is_v4() || is_enemy(p.source.address) || is_enemy(p.destination.address))
    return;
  if (targets_.size() < most_targets && std::ranges::find(targets_, p.destination) == targets_.end())
    targets_.push_back(p.destination);
  captured_.push_back(p.payload);
  if (captured_.size() > most_captured) captured_.pop_front();
}

base::bytes enemy::make_up() {
  if (captured_.empty()) return binding_request(chance_);
  auto b = captured_[chance_.next() % captured_.size()];
  if (way_ == way::replays) return b;
  const auto what = chance_.next() % 4;
  if (what == 0 || b.empty()) return binding_request(chance_);
  if (what == 1) chance_.fill(b);
  if (what == 2) b.resize(chance_.next() % b.size());
  // Not the end, where the fingerprint is: without it a check is still what its integrity says, and this would be a replay.
  if (what == 3 && b.size() > 8) b[chance_.next() % (b.size() - 8)] ^= static_cast<std::uint8_t>(1 + chance_.next() % 255);
  return b;
}

async::task<> enemy::run() {
  auto socket = host_.bind_udp({base::ip_address::any(base::ip_family::v4), 0});
  if (!socket) co_return;
  co_await async::with_scope(async::at_end::cancel, [&](async::scope& s) -> async::task<> {
    s.spawn("enemy listens", [&socket]() -> async::task<> {
      while (co_await (*socket)->receive()) {
      }
    });
    for (;;) {
      co_await async::sleep_for(std::chrono::milliseconds(50 + chance_.next() % 500));
      if (targets_.empty()) continue;
      const auto& to = targets_[chance_.next() % targets_.size()];
      (*socket)->send(to, make_up());
    }
  });
}

}  // namespace strata::simulation
