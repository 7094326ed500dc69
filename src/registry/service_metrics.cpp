// /metrics in the text form of Prometheus. Every label comes from a list that is fixed here or in the code of an RFC: no
// name that a client chose becomes one.
#include <fmt/format.h>

#include "registry/service.hpp"

namespace strata::registry {

http::response service::metrics() const {
  std::string out;
  const auto metric = [&](std::string_view name, std::string_view type, std::string_view help, auto value,
                          std::string_view labels = {}) {
    if (!help.empty())
      out += fmt::format("# HELP strata_registry_{} {}\n# TYPE strata_registry_{} {}\n", name, help, name, type);
    out += fmt::format("strata_registry_{}{} {}\n", name, labels, value);
  };
  const auto& r = relay_.counters();
  metric("http_requests_total", "counter", "HTTP requests handled", counters_.requests);
  constexpr std::array<std::string_view, 6> classes{"", "1xx", "2xx", "3xx", "4xx", "5xx"};
  for (std::size_t c = 1; c < classes.size(); ++c)
    metric("http_responses_total", c == 1 ? "counter" : "", c == 1 ? "answers by class of status" : "", counters_.answers[c],
           fmt::format("{{class=\"{}\"}}", classes[c]));
  metric("http_connections", "gauge", "connections now, WebSockets among them", server_->connections());
  metric("http_connections_refused_total", "counter", "connections beyond a limit", server_->counters().refused);
  metric("http_bad_requests_total", "counter", "requests that were no HTTP or beyond a limit",
         server_->counters().bad_requests);
  metric("draining", "gauge", "1 from the order to end on", stop_.is_set() ? 1 : 0);
  metric("store_commits_total", "counter", "commits that are on the disk", store_->commits());
  metric("store_failures_total", "counter", "commits that failed", store_->failures());
  const auto& t = tasks_->counters();
  metric("tasks_submitted_total", "counter", "tasks taken", t.submitted);
  metric("tasks_claimed_total", "counter", "tasks handed to an agent", t.claimed);
  metric("tasks_ended_total", "counter", "tasks that agents have ended", t.completed, "{outcome=\"completed\"}");
  metric("tasks_ended_total", "", "", t.failed, "{outcome=\"failed\"}");
  metric("tasks_refused_total", "counter", "submissions and steps that were refused", t.refused);
  metric("tokens_issued_total", "counter", "API keys exchanged for tokens", counters_.tokens_issued);
  metric("tokens_refused_total", "counter", "token requests without a known key", counters_.tokens_refused);
  metric("unauthorised_total", "counter", "requests without valid credentials", counters_.unauthorised);
  metric("bad_bodies_total", "counter", "request bodies that were refused", counters_.bad_bodies);
  metric("signaling_sockets", "gauge", "WebSocket connections now", relay_.connections());
  metric("signaling_registered", "gauge", "peers registered now", relay_.registered_peers().size());
  metric("signaling_sockets_slow_total", "counter", "connections ended because the client did not read",
         counters_.sockets_slow);
  metric("signaling_relayed_total", "counter", "messages relayed between peers", r.relayed);
  metric("signaling_dropped_total", "counter", "messages that went nowhere", r.dropped_malformed, "{reason=\"malformed\"}");
  metric("signaling_dropped_total", "", "", r.dropped_forged_sender, "{reason=\"forged sender\"}");
  metric("signaling_dropped_total", "", "", r.dropped_undeliverable, "{reason=\"undeliverable\"}");
  metric("signaling_dropped_total", "", "", r.dropped_unregistered, "{reason=\"unregistered\"}");
  if (stun_) {
    const auto& c = stun_->counted();
    metric("stun_received_total", "counter", "datagrams at the STUN responder", c.received);
    metric("stun_answered_total", "counter", "Binding requests answered", c.answered);
    metric("stun_rate_limited_total", "counter", "Binding requests over the limit of their source", c.rate_limited);
    metric("stun_discovery_answered_total", "counter", "answers of RFC 5780", c.discovery_answered);
    metric("stun_discovery_limited_total", "counter", "answers of RFC 5780 over the budget of their source",
           c.discovery_limited);
  }
  if (turn_) {
    const auto& c = turn_->counted();
    metric("turn_allocations", "gauge", "TURN allocations now", turn_->allocations());
    metric("turn_allocated_total", "counter", "TURN allocations made", c.allocated);
    metric("turn_relayed_bytes_total", "counter", "payload relayed", c.to_peers_bytes, "{direction=\"to peers\"}");
    metric("turn_relayed_bytes_total", "", "", c.from_peers_bytes, "{direction=\"from peers\"}");
    for (bool first = true; const auto& [code, count] : c.refused) {
      metric("turn_refused_total", first ? "counter" : "", first ? "TURN requests answered with an error" : "", count,
             fmt::format("{{code=\"{}\"}}", code));
      first = false;
    }
  }
  const auto now = host_.wall_now();
  metric("agents", "gauge", "agents by health", agents_.count(health::active, now), "{health=\"active\"}");
  metric("agents", "", "", agents_.count(health::stale, now), "{health=\"stale\"}");
  metric("agents", "", "", agents_.count(health::offline, now), "{health=\"offline\"}");
  return http::response::text(200, std::move(out), "text/plain; version=0.0.4");
}

}  // namespace strata::registry
