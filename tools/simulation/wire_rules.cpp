#include "simulation/wire_rules.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace strata::simulation {
namespace {
constexpr std::size_t challenge = 60;  // tenths
constexpr base::duration consent = std::chrono::seconds(30);
constexpr base::duration in_the_kernel = std::chrono::milliseconds(10);      // sent before, seen on the wire after
bool is_stun(base::byte_view data) { return !data.empty() && data[0] < 4; }  // RFC 7983
}  // namespace

void wire_rules::saw(const sim::packet_event& e) {
  using moment = sim::packet_event::moment;
  const auto& p = e.packet;
  if (p.protocol != sim::protocol::udp || p.destination.address.is_multicast() || !broken_.empty()) return;
  if (e.what == moment::delivered) {
    heard_[{p.destination, p.source}] = e.time;
    if (unproved_.contains(p.source.address)) accounts_[{p.destination, p.source}].came += p.payload.size();
    return;
  }
  if (e.what != moment::sent || unproved_.contains(p.source.address)) return;
  const direction way(p.source, p.destination);
  if (const auto enemy = unproved_.find(p.destination.address); enemy != unproved_.end()) {
    auto& a = accounts_[way];
    a.left += p.payload.size();
    const auto most = relays_.contains(p.source.address) ? std::max(enemy->second, challenge) : enemy->second;
    if (a.left * 10 > a.came * most || !is_stun(p.payload))
      broken_ = fmt::format("{} sent {} octets to {}, which has proved nothing and sent {}", p.source.to_string(), a.left,
                            p.destination.to_string(), a.came);
    return;
  }
  if (is_stun(p.payload) || relays_.contains(p.source.address) || relays_.contains(p.destination.address)) return;
  const auto heard = heard_.find(way);
  if (heard == heard_.end())
    broken_ =
        fmt::format("{} sent data to {}, from which nothing has ever come", p.source.to_string(), p.destination.to_string());
  else if (e.time - heard->second > consent + in_the_kernel)
    broken_ = fmt::format("{} sent data to {}, from which nothing has come for {:.1f} s", p.source.to_string(),
                          p.destination.to_string(), base::milliseconds(e.time - heard->second) / 1000);
}

}  // namespace strata::simulation
