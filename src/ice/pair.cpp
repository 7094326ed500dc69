#include "ice/pair.hpp"

namespace strata::ice {

std::string_view to_string(pair_state s) noexcept {
  switch (s) {
    case pair_state::frozen: return "Frozen";
    case pair_state::waiting: return "Waiting";
    case pair_state::in_progress: return "In-Progress";
    case pair_state::succeeded: return "Succeeded";
    case pair_state::failed: return "Failed";
  }
  return "?";
}

bool may_follow(pair_state from, pair_state to) noexcept {
  using enum pair_state;
  if (from == to) return true;
  switch (from) {
    case frozen: return to == waiting || to == in_progress;
    case waiting: return to == in_progress || to == succeeded;
    case in_progress: return to != frozen;  // to waiting: RFC 8445 §7.2.5.1, §7.3.1.4
    case succeeded: return to == failed;
    case failed: return to == waiting || to == succeeded;  // a late answer to an earlier check counts
  }
  return false;
}

std::string candidate_pair::describe() const { return local.describe() + " -> " + remote.describe(); }

bool may_meet(const candidate& local, const candidate& remote) noexcept {
  if (local.protocol != remote.protocol) return false;
  if (local.protocol == transport::udp) return true;
  if (!local.tcptype || !remote.tcptype) return false;
  switch (*local.tcptype) {
    case tcp_type::active: return *remote.tcptype == tcp_type::passive;
    case tcp_type::passive: return *remote.tcptype == tcp_type::active;
    case tcp_type::simultaneous_open: return *remote.tcptype == tcp_type::simultaneous_open;
  }
  return false;
}

bool can_pair(const candidate& local, const candidate& remote) noexcept {
  const auto& a = local.address.address;
  const auto& b = remote.address.address;
  if (local.component != remote.component || !may_meet(local, remote)) return false;
  if (!remote.name.empty() || a.family() != b.family() || a.is_loopback() != b.is_loopback()) return false;
  // A relay on the public network reaches no private one: some relays refuse it, and some fall over it (an allocation that the
  // network answers "unreachable" is closed). The peer reaches the relay from there all the same.
  const auto is_private = [](const base::ip_address& x) { return x.is_private() || x.is_link_local(); };
  if (local.type == candidate_type::relayed && !is_private(a) && !a.is_loopback() && is_private(b)) return false;
  return !a.is_v6() || a.is_link_local() == b.is_link_local();
}

}  // namespace strata::ice
