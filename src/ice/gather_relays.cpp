// Relayed candidates (RFC 8445 §5.1.1.2), side by side with everything else: a relay that answers late, or never, holds up
// nobody.
#include "async/combine.hpp"
#include "async/scope.hpp"
#include "ice/priority.hpp"
#include "ice/session.hpp"

namespace strata::ice {
namespace {

async::task<> serve(std::shared_ptr<local_base> b) { co_await b->relayed->run(); }

// RFC 8445 §5.1.2.1: the first source is the best; each leaves room for what may be derived from it.
std::uint16_t preference(std::size_t source) {
  return static_cast<std::uint16_t>(65535 - 256 * std::min<std::size_t>(source, 255));
}

async::task<> ask_relay(session& s, std::size_t source) {
  const auto& from = s.config.relays[source];
  auto relay = co_await from.allocate(*s.scope);
  if (!relay) {
    s.note("relay " + from.name, relay.error().message());
    co_return;
  }
  const auto server = (*relay)->server();
  const auto mapped = (*relay)->mapped();
  auto b = std::make_shared<local_base>(s, std::move(*relay));
  auto& c = b->own;
  c.type = candidate_type::relayed;
  c.address = b->socket.local_endpoint();
  c.base_address = c.address;  // RFC 8445 §5.1.1.2: a relayed candidate is its own base
  // RFC 8839 §5.1: the mapped address; who hides behind the relay does not tell it.
  c.related = s.relay_only() ? base::endpoint{base::ip_address::any(c.address.address.family()), 9} : mapped;
  c.priority = candidate_priority(c.type, preference(source));
  c.foundation = s.local_foundations.of(c.type, c.address.address, server.address, transport::udp);
  if (s.base_at(c.address) != nullptr) co_return;
  s.scope->spawn("ice relay", serve, b);
  add_base(s, b);
  permit_peer(s, *b);
  add_local_candidate(s, b->own);
}

}  // namespace

async::task<> gather_relays(session& s) {
  if (s.config.policy == candidate_policy::host) co_return;
  co_await async::with_scope(async::at_end::join, [&s](async::scope& scope) -> async::task<> {
    for (std::size_t n = 0; n < s.config.relays.size(); ++n) scope.spawn("ice ask relay", ask_relay, std::ref(s), n);
    co_return;
  });
}

// RFC 8656 §9: a relay lets nobody in who was not announced. Early, so that the peer's first check finds the door open.
void permit_peer(session& s, const local_base& b) {
  if (!b.relayed) return;
  for (const auto& c : s.remote_candidates)
    if (can_pair(b.own, c)) b.relayed->permit(c.address.address);
}

}  // namespace strata::ice
