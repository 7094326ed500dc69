#include "stun/discovery/nat_print.hpp"

#include <fmt/format.h>

#include <chrono>

#include "stun/discovery/nat_forecast.hpp"

namespace strata::stun {
namespace {

std::string seconds(base::duration d) {
  return fmt::format("{} s", std::chrono::duration_cast<std::chrono::seconds>(d).count());
}

std::string lifetime_text(const nat_report::lifetime_range& l) {
  if (l.at_most == base::duration::zero()) return "at least " + seconds(l.at_least);
  return seconds(l.at_least) + " to " + seconds(l.at_most);
}

std::string ports_text(const nat_report& r) {
  auto text = std::string(to_string(r.ports));
  if (r.ports == port_kind::sequential) text += fmt::format(", step {}", r.port_step);
  return text;
}

std::string server_text(const server_answer& s) {
  std::string text;
  if (s.udp) text = s.rtt ? fmt::format("{:.1f} ms", base::milliseconds(*s.rtt)) : "answered";
  else if (s.tcp) text = "over TCP only";
  if (s.discovery) text += ", RFC 5780";
  if (!s.trouble.empty()) text += (text.empty() ? "" : ", ") + s.trouble;
  return text;
}

base::json seconds_json(base::duration d) {
  return d == base::duration::zero() ? base::json() : base::json(base::milliseconds(d) / 1000);
}

template <class Optional>
base::json text_or_null(const Optional& o) {
  return o ? base::json(o->to_string()) : base::json();
}

}  // namespace

std::string as_line(const nat_report& r) {
  std::string line(to_string(r.name()));
  if (r.mapped) {
    line += fmt::format(": mapping {}, filtering {}, {} -> {}", to_string(r.mapping), to_string(r.filtering),
                        r.local.to_string(), r.mapped->to_string());
    line += fmt::format(", ports {}, hairpin {}", ports_text(r), to_string(r.hairpin));
  }
  line += fmt::format(", IPv6 {}", to_string(r.ipv6));
  if (r.second_nat == finding::yes) line += ", a second NAT behind it";
  if (r.port_mapping) line += fmt::format(", {} gives {}", r.port_mapping_protocol, r.port_mapping->to_string());
  if (r.lifetime) line += ", mappings live " + lifetime_text(*r.lifetime);
  return line;
}

std::string as_table(const nat_report& r) {
  std::string out;
  const auto row = [&](std::string_view what, std::string_view value, std::string_view remark = {}) {
    out += fmt::format("{:24} {}{}{}\n", what, value, remark.empty() ? "" : "  ", remark);
  };
  row("NAT", to_string(r.name()));
  row("UDP", to_string(r.udp), r.udp == finding::no && r.tcp == finding::yes ? "(TCP gets through)" : "");
  row("IPv6", to_string(r.ipv6), r.mapped_ipv6 ? r.mapped_ipv6->to_string() : "");
  if (r.mapped) {
    row("inside", r.local.to_string());
    row("outside", r.mapped->to_string());
    row("mapping", to_string(r.mapping));
    row("filtering", to_string(r.filtering));
    row("ports", ports_text(r));
    row("one outside address", to_string(r.one_outside_address));
    row("hairpin", to_string(r.hairpin));
  }
  row("second NAT", to_string(r.second_nat), r.second_nat_reason);
  if (r.rewrites_addresses == finding::yes) row("warning", "something on the way rewrites addresses inside messages");
  row("port mapping", r.port_mapping ? r.port_mapping->to_string() : "none",
      r.port_mapping ? r.port_mapping_protocol : std::string());
  if (r.lifetime) row("mapping lifetime", lifetime_text(*r.lifetime));
  for (const auto& s : r.servers) row("server", s.server.to_string(), server_text(s));
  if (r.name() == nat_name::offline) return out;
  const auto mine = standing_of(r);
  for (const auto s : all_standings) {
    const auto with = forecast(mine, s), without = forecast(mine, s, false);
    row("to " + std::string(to_string(s)), to_string(with),
        with == without ? std::string() : fmt::format("({} without a relay)", to_string(without)));
  }
  return out;
}

base::json as_json(const nat_report& r) {
  base::json::array servers;
  for (const auto& s : r.servers)
    servers.push_back(base::json::make({{"server", s.server.to_string()},
                                        {"udp", s.udp},
                                        {"tcp", s.tcp},
                                        {"rfc5780", s.discovery},
                                        {"rtt_ms", s.rtt ? base::json(base::milliseconds(*s.rtt)) : base::json()},
                                        {"trouble", s.trouble}}));
  base::json tiers = base::json(base::json::object());
  const auto mine = standing_of(r);
  // A machine that reaches no server has nothing to expect.
  if (r.name() == nat_name::offline) tiers = base::json();
  else
    for (const auto s : all_standings) tiers.set(to_string(s), to_string(forecast(mine, s)));
  auto out = base::json::make({{"nat", to_string(r.name())},
                               {"udp", to_string(r.udp)},
                               {"tcp", to_string(r.tcp)},
                               {"ipv4", to_string(r.ipv4)},
                               {"ipv6", to_string(r.ipv6)},
                               {"inside", r.mapped ? base::json(r.local.to_string()) : base::json()},
                               {"outside", text_or_null(r.mapped)},
                               {"outside_ipv6", text_or_null(r.mapped_ipv6)},
                               {"mapping", to_string(r.mapping)},
                               {"filtering", to_string(r.filtering)},
                               {"hairpin", to_string(r.hairpin)},
                               {"ports", to_string(r.ports)},
                               {"port_step", r.port_step},
                               {"preserves_port", to_string(r.preserves_port)},
                               {"one_outside_address", to_string(r.one_outside_address)},
                               {"rewrites_addresses", to_string(r.rewrites_addresses)},
                               {"second_nat", to_string(r.second_nat)},
                               {"second_nat_reason", r.second_nat_reason},
                               {"port_mapping", text_or_null(r.port_mapping)},
                               {"port_mapping_protocol", r.port_mapping_protocol}});
  out.set("lifetime_s", r.lifetime ? base::json::make({{"at_least", seconds_json(r.lifetime->at_least)},
                                                       {"at_most", seconds_json(r.lifetime->at_most)}})
                                   : base::json());
  out.set("servers", std::move(servers));
  out.set("forecast", std::move(tiers));
  return out;
}

}  // namespace strata::stun
