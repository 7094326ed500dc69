#include "meshctl_turn.hpp"

#include <fmt/format.h>

#include <cstdio>

#include "base/json.hpp"
#include "turn/probe.hpp"

namespace strata::apps {
namespace {

base::json milliseconds_or_null(const std::optional<base::duration>& d) {
  return d ? base::json(base::milliseconds(*d)) : base::json();
}

void print_json(const turn::probe_report& r) {
  base::json::array relayed;
  for (const auto& e : r.relayed) relayed.push_back(e.to_string());
  auto j = base::json::make({{"server", r.server},
                             {"ok", r.ok()},
                             {"relayed", std::move(relayed)},
                             {"allocation_ms", base::milliseconds(r.allocation_time)},
                             {"rtt_ms", milliseconds_or_null(r.round_trip)},
                             {"channel_rtt_ms", milliseconds_or_null(r.in_channel)}});
  if (!r.relayed.empty()) {
    j.set("mapped", r.mapped.to_string());
    j.set("lifetime_s", base::milliseconds(r.lifetime) / 1000);
  }
  if (r.partial_refusal) j.set("partial_refusal", *r.partial_refusal);
  if (!r.ok()) {
    j.set("failed_at", r.failed_at);
    j.set("error", r.error);
  }
  fmt::print("{}\n", j.dump());
}

void print_text(const turn::probe_report& r) {
  fmt::print("server      {}\n", r.server);
  for (const auto& e : r.relayed) fmt::print("relayed     {}\n", e.to_string());
  if (!r.relayed.empty()) {
    fmt::print("seen as     {}\n", r.mapped.to_string());
    fmt::print("lifetime    {:.0f} s\n", base::milliseconds(r.lifetime) / 1000);
    fmt::print("allocation  {:.1f} ms\n", base::milliseconds(r.allocation_time));
  }
  if (r.partial_refusal) fmt::print("note        no address of the other family ({})\n", *r.partial_refusal);
  if (r.round_trip) fmt::print("relay       {:.2f} ms to ourselves and back\n", base::milliseconds(*r.round_trip));
  if (r.in_channel) fmt::print("channel     {:.2f} ms\n", base::milliseconds(*r.in_channel));
  if (!r.ok()) fmt::print("failed      at the {}: {}\n", r.failed_at, r.error);
}

}  // namespace

async::task<int> show_turn(net::host& h, turn_options o) {
  auto server = turn::server_from_uri(o.uri, o.username, o.password);
  if (!server) {
    std::fprintf(stderr, "meshctl: %s: %s\n", o.uri.c_str(), server.error().message().c_str());
    co_return 2;
  }
  server->trust_file = o.trust_file;
  turn::allocation_config c;
  c.server = std::move(*server);
  if (o.both) c.families = {base::ip_family::v4, base::ip_family::v6};
  else if (o.ipv6) c.families = {base::ip_family::v6};
  const auto report = co_await turn::probe(h, std::move(c));
  o.as_json ? print_json(report) : print_text(report);
  co_return report.ok() ? 0 : 1;
}

}  // namespace strata::apps
