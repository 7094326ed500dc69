#include "turn/probe.hpp"

#include "async/async.hpp"
#include "turn/peers.hpp"

namespace strata::turn {
namespace {

constexpr auto packet_patience = std::chrono::seconds(1);
constexpr int attempts = 3;

// Sends to the relay's own address, from where it comes back to us. Nothing: it did not, three times.
async::task<std::optional<base::duration>> echo(net::host& h, allocation& a, std::string text) {
  for (int i = 0; i < attempts; ++i) {
    const auto sent = h.now();
    a.send(a.local_endpoint(), base::as_bytes(text));
    const auto back = [](allocation& in, const std::string& wanted) -> async::task<bool> {
      for (;;) {
        const auto batch = co_await in.receive();
        if (!batch) co_return false;
        for (const auto& d : *batch)
          if (base::as_text(d.payload) == wanted) co_return true;
      }
    };
    const auto arrived = co_await async::with_timeout(packet_patience, back(a, text));
    if (arrived && *arrived) co_return h.now() - sent;
  }
  co_return std::nullopt;
}

std::string why_lost(const allocation& a) {
  return a.counts().dropped_unpermitted != 0 ? "the server forbids relaying to its own addresses"
                                             : "what is sent through the relay does not come back";
}

async::task<> use(net::host& h, allocation& a, probe_report& r) {
  r.round_trip = co_await echo(h, a, "strata: through the relay");
  if (!r.round_trip) {
    r.failed_at = "relaying";
    r.error = why_lost(a);
    co_return;
  }
  for (unsigned i = 0; i < peer_table::packets_before_channel; ++i) a.send(a.local_endpoint(), base::as_bytes("more"));
  // The binding takes a round trip of its own: what is sent meanwhile goes in indications.
  constexpr int round_trips_for_a_channel = 8;
  for (int i = 0; i < round_trips_for_a_channel && a.counts().sent_in_channels == 0; ++i) {
    r.in_channel = co_await echo(h, a, "strata: towards a channel " + std::to_string(i));
    if (!r.in_channel) break;
  }
  if (r.in_channel && a.counts().sent_in_channels != 0) co_return;
  r.in_channel.reset();
  r.failed_at = "channel";
  r.error = a.counts().channel_binds != 0 ? "the channel is bound, and carries nothing" : "the server binds no channel";
}

}  // namespace

async::task<probe_report> probe(net::host& h, allocation_config c, trace::tracer t) {
  probe_report r{.server = c.server.name(), .round_trip = {}};
  const auto began = h.now();
  auto made = co_await allocation::allocate(h, std::move(c), std::move(t));
  r.allocation_time = h.now() - began;
  if (!made) {
    r.failed_at = "allocation";
    r.error = explain(made.error());
    co_return r;
  }
  auto& a = **made;
  for (const auto f : {base::ip_family::v4, base::ip_family::v6})
    if (const auto e = a.relayed(f)) r.relayed.push_back(*e);
  r.mapped = a.mapped();
  r.lifetime = a.lifetime();
  r.partial_refusal = a.partial_refusal();
  co_await async::with_scope(async::at_end::cancel, [&](async::scope& s) -> async::task<> {
    s.spawn("allocation", [&a]() -> async::task<> { (void)co_await a.run(); });
    co_await use(h, a, r);
  });
  co_return r;
}

}  // namespace strata::turn
