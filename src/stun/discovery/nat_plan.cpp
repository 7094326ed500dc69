#include "stun/discovery/nat_plan.hpp"

#include <algorithm>

namespace strata::stun {
namespace {

bool answered(const observation& o, probe_kind k) noexcept { return o.asked.kind == k && o.result == probe_result::answered; }

const observation* of_socket(const std::vector<observation>& seen, unsigned socket) {
  const auto found = std::ranges::find_if(
      seen, [&](const observation& o) { return answered(o, probe_kind::ports) && o.asked.socket == socket; });
  return found != seen.end() ? &*found : nullptr;
}

}  // namespace

std::string_view to_string(probe_kind k) noexcept {
  switch (k) {
    case probe_kind::mapping_1: return "mapping I";
    case probe_kind::mapping_2: return "mapping II";
    case probe_kind::mapping_3: return "mapping III";
    case probe_kind::filtering_2: return "filtering II";
    case probe_kind::filtering_3: return "filtering III";
    case probe_kind::ports: return "ports";
    case probe_kind::hairpin: return "hairpin";
    case probe_kind::tcp: return "TCP";
  }
  return "?";
}

bool has_other_address(const observation& o) noexcept {
  if (!o.other) return false;
  const auto& here = o.asked.to;
  const auto& other = *o.other;
  if (other.address.family() != here.address.family() || other.address == here.address || other.port == here.port) return false;
  if (other.port == 0 || other.address.is_unspecified() || other.address.is_multicast()) return false;
  const auto local = [](const base::ip_address& a) { return a.is_private() || a.is_loopback() || a.is_link_local(); };
  return !local(other.address) || local(here.address);
}

bool is_untranslated(const observation& o, const std::vector<base::ip_address>& own) noexcept {
  return o.mapped.port == o.local.port && std::ranges::find(own, o.mapped.address) != own.end();
}

const observation* main_answer(const std::vector<observation>& seen) {
  const observation* best = nullptr;
  const auto rank = [](const observation& o) { return (o.asked.to.address.is_v4() ? 2 : 0) + (has_other_address(o) ? 1 : 0); };
  for (const auto& o : seen)
    if (answered(o, probe_kind::mapping_1) && (best == nullptr || rank(o) > rank(*best))) best = &o;
  return best;
}

std::vector<probe> plan_first(const std::vector<base::endpoint>& servers) {
  std::vector<probe> all;
  for (const auto& s : servers) all.push_back({probe_kind::mapping_1, 0, s});
  return all;
}

std::vector<probe> plan_second(const std::vector<observation>& seen) {
  std::vector<probe> all;
  const auto* first = main_answer(seen);
  if (first == nullptr) {
    for (const auto& o : seen)
      if (o.asked.kind == probe_kind::mapping_1) all.push_back({probe_kind::tcp, 0, o.asked.to});
    return all;
  }
  const auto server = first->asked.to;
  if (has_other_address(*first)) {
    const auto other = *first->other;
    all.push_back({probe_kind::filtering_2, 1, server, true, true});
    all.push_back({probe_kind::filtering_3, 1, server, false, true});
    all.push_back({probe_kind::mapping_2, 0, {other.address, server.port}});
    all.push_back({probe_kind::mapping_3, 0, other});
  }
  for (unsigned n = 0; n < port_sockets; ++n) all.push_back({probe_kind::ports, first_port_socket + n, server});
  return all;
}

std::vector<probe> plan_third(const std::vector<observation>& seen, const std::vector<base::ip_address>& own) {
  const auto* first = main_answer(seen);
  if (first == nullptr || is_untranslated(*first, own)) return {};
  const auto* a = of_socket(seen, first_port_socket);
  const auto* b = of_socket(seen, first_port_socket + 1);
  if (a == nullptr || b == nullptr) return {};
  return {{probe_kind::hairpin, a->asked.socket, b->mapped}, {probe_kind::hairpin, b->asked.socket, a->mapped}};
}

}  // namespace strata::stun
