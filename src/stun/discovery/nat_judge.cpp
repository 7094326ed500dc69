#include "stun/discovery/nat_judge.hpp"

#include <algorithm>
#include <array>

namespace strata::stun {
namespace {

constexpr int largest_step = 16;  // other traffic of the NAT takes ports, too

using seen_list = std::vector<observation>;

const observation* find(const seen_list& seen, probe_kind k) {
  const auto found = std::ranges::find_if(seen, [&](const observation& o) { return o.asked.kind == k; });
  return found != seen.end() ? &*found : nullptr;
}

bool answered(const observation* o) noexcept { return o != nullptr && o->result == probe_result::answered; }
bool silent(const observation* o) noexcept { return o != nullptr && o->result == probe_result::silent; }

// RFC 5780 §4.3
mapping_kind mapping_by_discovery(const seen_list& seen, const observation& first) {
  const auto* second = find(seen, probe_kind::mapping_2);
  const auto* third = find(seen, probe_kind::mapping_3);
  if (answered(second)) {
    if (second->mapped == first.mapped) return mapping_kind::endpoint_independent;
    if (!answered(third)) return mapping_kind::dependent;
    return third->mapped == second->mapped ? mapping_kind::address_dependent : mapping_kind::address_and_port_dependent;
  }
  // The alternate address is dead on that port; the other port still tells whether anything differs.
  if (answered(third)) return third->mapped == first.mapped ? mapping_kind::endpoint_independent : mapping_kind::dependent;
  return mapping_kind::unknown;
}

// Servers that know nothing of RFC 5780: the same socket seen from several addresses.
mapping_kind mapping_by_comparison(const seen_list& seen, const observation& first) {
  auto found = mapping_kind::unknown;
  for (const auto& o : seen) {
    if (o.asked.kind != probe_kind::mapping_1 || !answered(&o) || &o == &first) continue;
    if (o.mapped.address.family() != first.mapped.address.family()) continue;
    if (o.mapped != first.mapped) return mapping_kind::dependent;
    // Two ports of one address do not tell what another address would see.
    if (o.asked.to.address != first.asked.to.address) found = mapping_kind::endpoint_independent;
  }
  return found;
}

// RFC 5780 §4.4
filtering_kind judge_filtering(const seen_list& seen) {
  const auto* second = find(seen, probe_kind::filtering_2);
  const auto* third = find(seen, probe_kind::filtering_3);
  if (answered(second)) return filtering_kind::endpoint_independent;
  // A server that refuses, or a machine that cannot send, says nothing about the NAT.
  if (!silent(second)) return filtering_kind::unknown;
  if (answered(third)) return filtering_kind::address_dependent;
  return silent(third) ? filtering_kind::address_and_port_dependent : filtering_kind::unknown;
}

void judge_ports(const seen_list& seen, const observation& first, nat_report& r) {
  std::vector<const observation*> sockets{&first};
  for (const auto& o : seen)
    if (o.asked.kind == probe_kind::ports && answered(&o)) sockets.push_back(&o);
  const auto all = [&](auto&& holds) { return std::ranges::all_of(sockets, holds); };
  const auto preserved = [](const observation* o) { return o->mapped.port == o->local.port; };
  r.preserves_port = all(preserved) ? finding::yes : finding::no;
  if (sockets.size() > 1)
    r.one_outside_address =
        all([&](const observation* o) { return o->mapped.address == first.mapped.address; }) ? finding::yes : finding::no;
  if (sockets.size() < 4) return;  // fewer may be in a row by chance
  if (r.preserves_port == finding::yes) {
    r.ports = port_kind::preserving;
    return;
  }
  // The sockets after the first were opened in this order.
  std::vector<int> steps;
  for (std::size_t n = 2; n < sockets.size(); ++n) steps.push_back(sockets[n]->mapped.port - sockets[n - 1]->mapped.port);
  const bool upwards = std::ranges::all_of(steps, [](int s) { return s > 0 && s <= largest_step; });
  const bool downwards = std::ranges::all_of(steps, [](int s) { return s < 0 && s >= -largest_step; });
  r.ports = upwards || downwards ? port_kind::sequential : port_kind::random;
  if (upwards) r.port_step = *std::ranges::min_element(steps);
  if (downwards) r.port_step = *std::ranges::max_element(steps);
}

finding judge_hairpin(const seen_list& seen) {
  auto found = finding::unknown;
  for (const auto& o : seen) {
    if (o.asked.kind != probe_kind::hairpin) continue;
    if (answered(&o)) return finding::yes;
    if (silent(&o)) found = finding::no;
  }
  return found;
}

finding judge_rewriting(const seen_list& seen) {
  auto found = finding::unknown;
  for (const auto& o : seen) {
    if (!answered(&o) || !o.plain_mapped) continue;
    if (*o.plain_mapped != o.mapped) return finding::yes;
    found = finding::no;
  }
  return found;
}

// Is there a NAT behind the NAT? An address that only carriers hand out, and a gateway that is itself somewhere inside, are as
// good as proof; without a gateway that talks there is nothing to compare with, and the answer stays unknown.
void judge_second_nat(const surroundings& around, nat_report& r) {
  const auto say = [&](finding f, std::string why) {
    r.second_nat = f;
    r.second_nat_reason = std::move(why);
  };
  if (r.mapping == mapping_kind::no_nat) return say(finding::no, {});
  const auto shared = std::ranges::find_if(around.own, is_shared_address_space);
  if (shared != around.own.end() && r.mapped && r.mapped->address != *shared)
    return say(finding::yes, shared->to_string() + " of this machine is in the address space of carriers (RFC 6598)");
  if (!around.gateway_outside) return;
  const auto& g = *around.gateway_outside;
  if (is_shared_address_space(g))
    return say(finding::yes,
               "the gateway's outside address " + g.to_string() + " is in the address space of carriers (RFC 6598)");
  if (g.is_private() || g.is_link_local())
    return say(finding::yes, "the gateway's outside address " + g.to_string() + " is a private one");
  if (!r.mapped || !r.mapped->address.is_v4() || !g.is_v4()) return;
  if (g != r.mapped->address)
    return say(finding::yes,
               "the gateway's outside address is " + g.to_string() + ", servers see " + r.mapped->address.to_string());
  say(finding::no, "the gateway's outside address is the one that servers see");
}

// A socket on all addresses does not say which one it sends from; for a person to read, the first that leads outside is good
// enough.
base::ip_address likely_address(const std::vector<base::ip_address>& own, base::ip_family family) {
  for (const auto& a : own)
    if (a.family() == family && !a.is_loopback() && !a.is_link_local()) return a;
  return base::ip_address::any(family);
}

std::vector<server_answer> list_servers(const seen_list& seen) {
  std::vector<server_answer> all;
  for (const auto& o : seen) {
    if (o.asked.kind != probe_kind::mapping_1 && o.asked.kind != probe_kind::tcp) continue;
    auto at = std::ranges::find(all, o.asked.to, &server_answer::server);
    if (at == all.end()) at = all.insert(all.end(), server_answer{o.asked.to, false, false, false, {}, {}});
    if (answered(&o)) {
      (o.asked.kind == probe_kind::tcp ? at->tcp : at->udp) = true;
      if (o.asked.kind == probe_kind::mapping_1) {
        at->rtt = o.rtt;
        at->discovery = has_other_address(o);
        if (o.other && !at->discovery) at->trouble = "its OTHER-ADDRESS " + o.other->to_string() + " is of no use";
      }
    } else if (at->trouble.empty()) {
      at->trouble = o.trouble.empty() ? "no answer" : o.trouble;
    }
  }
  return all;
}

}  // namespace

bool is_shared_address_space(const base::ip_address& a) noexcept {
  return a.is_v4() && (a.to_v4() & 0xffc00000u) == 0x64400000u;
}

nat_report judge_nat(const std::vector<observation>& seen, const surroundings& around) {
  nat_report r;
  r.servers = list_servers(seen);
  r.port_mapping = around.port_mapping;
  r.port_mapping_protocol = around.port_mapping_protocol;
  bool asked = false;
  for (const auto& o : seen) {
    const bool four = o.asked.to.address.is_v4();
    if (o.asked.kind == probe_kind::tcp) {
      if (answered(&o)) r.tcp = finding::yes;
      else if (r.tcp == finding::unknown) r.tcp = finding::no;
    }
    if (o.asked.kind != probe_kind::mapping_1) continue;
    asked = true;
    auto& family = four ? r.ipv4 : r.ipv6;
    if (answered(&o)) family = finding::yes;
    else if (family == finding::unknown) family = finding::no;
    if (answered(&o) && !four && !r.mapped_ipv6) r.mapped_ipv6 = o.mapped;
  }
  const auto* first = main_answer(seen);
  r.udp = first != nullptr ? finding::yes : asked ? finding::no : finding::unknown;
  if (first != nullptr) {
    r.local = first->local;
    r.mapped = first->mapped;
    const bool untranslated = is_untranslated(*first, around.own);
    if (untranslated) r.local = first->mapped;
    else if (r.local.address.is_unspecified()) r.local.address = likely_address(around.own, r.local.address.family());
    r.mapping = untranslated                ? mapping_kind::no_nat
                : has_other_address(*first) ? mapping_by_discovery(seen, *first)
                                            : mapping_kind::unknown;
    if (r.mapping == mapping_kind::unknown) r.mapping = mapping_by_comparison(seen, *first);
    r.filtering = judge_filtering(seen);
    r.rewrites_addresses = judge_rewriting(seen);
    judge_ports(seen, *first, r);
    r.hairpin = judge_hairpin(seen);
  }
  judge_second_nat(around, r);
  return r;
}

}  // namespace strata::stun
