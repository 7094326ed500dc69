// Remote candidates whose address is a .local name (draft-ietf-mmusic-mdns-ice-candidates §3.2): browsers hide the
// addresses of their users so.
#include "async/scope.hpp"
#include "async/sleep.hpp"
#include "ice/mdns_resolver.hpp"
#include "ice/session.hpp"

namespace strata::ice {
namespace {

constexpr std::size_t most_at_once = 8;  // a browser has one name for each of its addresses

async::task<> resolve_name(session& s, candidate c) {
  // Mostly the browser's own check is here before the answer would be, and tells the address for nothing.
  co_await async::sleep_for(s.config.mdns_head_start);
  if (s.ended() || !s.valid.empty()) co_return;
  const auto addresses = co_await mdns::resolve(s.host, c.name, s.config.mdns_limit, [&s](const net::interface_address& i) {
    return s.config.interfaces.permits(i.name);
  });
  if (!addresses) {
    s.note("remote candidate " + c.name, addresses.error().message());
    co_return;
  }
  if (s.ended()) co_return;
  if (!c.ufrag.empty() && c.ufrag != s.remote->ufrag) co_return;
  // One name, one address, says the draft; a name with an address of each family is common all the same.
  std::optional<base::ip_family> first;
  for (const auto& address : *addresses) {
    if (first && *first == address.family()) continue;
    auto resolved = c;
    resolved.name.clear();
    resolved.address.address = address;
    if (s.tracer.enabled()) s.note("remote candidate " + c.name, resolved.describe());
    pair_remote_candidate(s, resolved);
    if (first) break;
    first = address.family();
  }
}

}  // namespace

async::task<> resolve_names(session& s) {
  co_await s.remote_known.wait();
  co_await async::with_scope(async::at_end::cancel, [&s](async::scope& scope) -> async::task<> {
    for (;;) {
      s.work_for_names.reset();
      while (!s.unresolved.empty()) {
        auto c = std::move(s.unresolved.front());
        s.unresolved.pop_front();
        if (scope.children() >= most_at_once) s.drop(s.counts.dropped_candidates, "too many names at once", c.address, 0);
        else scope.spawn("ice resolve name", resolve_name, std::ref(s), std::move(c));
      }
      co_await s.work_for_names.wait();
    }
  });
}

}  // namespace strata::ice
