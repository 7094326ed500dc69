#include "portmap/mapper.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "async/async.hpp"
#include "portmap/client.hpp"
#include "portmap/error.hpp"
#include "portmap/schedule.hpp"

namespace strata::portmap {
namespace {

// When a mapping is lost and nothing gives another one.
constexpr base::duration retry_lost = 1min;
// For one renewal: several retransmissions of any protocol.
constexpr base::duration renew_limit = 20s;

// How long each protocol waits for the ones before it, unless those have failed: a gateway speaks several of them, and every
// request that is answered after another one has won leaves a mapping behind that nobody keeps.
constexpr base::duration head_start(protocol p) noexcept {
  switch (p) {
    case protocol::pcp: return 0ms;
    case protocol::nat_pmp: return 150ms;
    case protocol::upnp: return 400ms;
  }
  return 0ms;
}

bool in_prefix(const base::ip_address& a, const base::ip_address& b, std::uint8_t length) noexcept {
  if (a.family() != b.family()) return false;
  const auto x = a.octets(), y = b.octets();
  for (std::size_t n = 0; n < x.size() && n * 8 < length; ++n) {
    const auto bits = std::min<std::size_t>(8, length - n * 8);
    if (((x[n] ^ y[n]) >> (8 - bits)) != 0) return false;
  }
  return true;
}

// The gateway on the link of that address; without one the first of the family (a point-to-point link has no prefix).
std::optional<base::ip_address> choose_gateway(const std::vector<base::ip_address>& gateways,
                                               const std::vector<net::interface_address>& interfaces,
                                               const base::ip_address& inside) {
  for (const auto& i : interfaces) {
    if (i.address != inside) continue;
    for (const auto& g : gateways)
      if (in_prefix(g, inside, i.prefix_length) || (g.scope_id() != 0 && g.scope_id() == i.index)) return g;
  }
  const auto found = std::ranges::find(gateways, inside.family(), &base::ip_address::family);
  if (found == gateways.end()) return std::nullopt;
  return *found;
}

async::task<> wait_until_set(async::event& e) { co_await e.wait(); }
async::task<> nap(base::duration d) { co_await async::sleep_for(d); }

}  // namespace

struct mapper::kept {
  mapping m;
  client* by = nullptr;  // owned by a gate, which stays
  base::instant granted{}, renew_at{};
  bool held = false;  // false: lost, and looked for again
  bool gone = false;  // unmapped
};

struct mapper::gate {
  base::ip_address address;
  std::vector<std::unique_ptr<client>> clients;  // in the order of their head starts
};

struct mapper::won {
  grant given;
  client* by = nullptr;
};

mapper::mapper(net::host& h, mapper_config c, trace::tracer t) : host_(h), config_(std::move(c)), tracer_(std::move(t)) {}
mapper::~mapper() = default;

void mapper::note(std::string_view what, const base::endpoint& inside, std::string_view text) {
  if (!tracer_.enabled()) return;
  tracer_(host_.now(), trace::note{trace::layer::portmap, what, inside.to_string() + ": " + std::string(text)});
}

mapper::gate* mapper::gate_for(const base::ip_address& inside) {
  const auto address =
      choose_gateway(config_.gateways.empty() ? host_.gateways() : config_.gateways, host_.interfaces(), inside);
  if (!address) return nullptr;
  const auto known = std::ranges::find_if(gates_, [&](const auto& g) { return g->address == *address; });
  if (known != gates_.end()) return known->get();
  auto g = std::make_unique<gate>();
  g->address = *address;
  if (config_.pcp) g->clients.push_back(make_pcp_client(host_, *address));
  // The other two are about IPv4 alone; UPnP's firewall pinholes for IPv6 are another service.
  if (config_.nat_pmp && address->is_v4()) g->clients.push_back(make_nat_pmp_client(host_, *address));
  if (config_.upnp && address->is_v4()) g->clients.push_back(make_upnp_client(host_, *address));
  gates_.push_back(std::move(g));
  return gates_.back().get();
}

async::task<base::result<mapper::won>> mapper::race(gate& g, base::endpoint inside, base::endpoint suggested) {
  struct state {
    std::optional<won> winner;
    base::error why{base::errc::timed_out};
    std::size_t running = 0;
    std::array<async::event, 3> failed;  // one for each protocol
    async::event over;
  } race;
  race.running = g.clients.size();
  const wish w{inside, suggested, config_.lifetime};
  const auto contend = [&](std::size_t n) -> async::task<> {
    auto& c = *g.clients[n];
    // Finding a UPnP gateway takes longer than asking it, and leaves nothing behind.
    if (c.by() == protocol::upnp) (void)co_await c.outside_address(inside.address);
    if (n > 0) (void)co_await async::first_of(wait_until_set(race.failed[n - 1]), nap(head_start(c.by())));
    auto given = co_await c.request(w);
    if (given && !race.winner) race.winner = won{std::move(*given), &c};
    if (!given) {
      note(to_string(c.by()), inside, given.error().message());
      const bool silence = given.error() == base::errc::timed_out || given.error() == base::errc::refused;
      if (!silence) race.why = given.error();
      race.failed[n].set();
    }
    --race.running;
    if (race.winner || race.running == 0) race.over.set();
  };
  co_await async::with_scope(async::at_end::cancel, [&](async::scope& s) -> async::task<> {
    for (std::size_t n = 0; n < g.clients.size(); ++n) s.spawn("port mapping", contend, n);
    if (!g.clients.empty()) (void)co_await async::first_of(wait_until_set(race.over), nap(config_.patience));
  });
  if (!race.winner) co_return base::fail(g.clients.empty() ? base::error(errc::unsupported) : race.why);
  co_return std::move(*race.winner);
}

void mapper::take(kept& k, won w) {
  const bool changed = !k.held || k.m.outside != w.given.mapping.outside;
  k.m = std::move(w.given.mapping);
  k.by = w.by;
  k.held = true;
  k.granted = host_.now();
  k.renew_at = k.granted + renewal_wait(k.m.lifetime, base::duration::zero()).value_or(k.m.lifetime / 2);
  // RFC 6887 §8.5: whoever gave this has forgotten everything else that it gave.
  if (w.given.state_lost)
    for (const auto& other : kept_)
      if (other.get() != &k && other->by == k.by) other->renew_at = host_.now();
  if (changed) note(to_string(k.m.by), k.m.inside, "is " + k.m.outside.to_string() + " outside");
  if (changed && on_change) on_change(k.m.inside, k.m);
  work_.set();
}

async::task<base::result<mapping>> mapper::map(base::endpoint inside) {
  const auto& a = inside.address;
  if (a.is_unspecified() || a.is_loopback() || a.is_multicast() || inside.port == 0) co_return base::fail(errc::bad_address);
  const auto find = [&] { return std::ranges::find_if(kept_, [&](const auto& k) { return k->m.inside == inside; }); };
  if (const auto known = find(); known != kept_.end() && (*known)->held) co_return (*known)->m;
  if (kept_.size() >= config_.max_mappings) co_return base::fail(errc::too_many);
  auto* g = gate_for(a);
  if (g == nullptr) co_return base::fail(errc::no_gateway);
  auto given = co_await race(*g, inside, {base::ip_address::any(a.family()), inside.port});
  if (!given) co_return base::fail(given.error());
  auto k = find() != kept_.end() ? *find() : kept_.emplace_back(std::make_shared<kept>());
  take(*k, std::move(*given));
  co_return k->m;
}

async::task<> mapper::renew(std::shared_ptr<kept> k) {
  base::result<won> again = base::fail(errc::no_gateway);
  if (k->held) {
    auto given = co_await async::with_timeout(renew_limit, k->by->request({k->m.inside, k->m.outside, config_.lifetime}));
    if (given) again = won{std::move(*given), k->by};
    else again = base::fail(given.error());
  }
  const auto wait = renewal_wait(k->m.lifetime, host_.now() - k->granted);
  if (!again && (!k->held || !wait || k->m.lifetime == base::duration::zero())) {
    // It has ended, or was lost before: whatever answers now may give another.
    if (auto* g = gate_for(k->m.inside.address)) again = co_await race(*g, k->m.inside, k->m.outside);
  }
  if (k->gone) {
    if (again) (void)co_await async::with_timeout(config_.release_limit, again->by->remove(again->given.mapping));
    co_return;
  }
  if (again) {
    take(*k, std::move(*again));
    co_return;
  }
  note(to_string(k->m.by), k->m.inside, "not renewed: " + again.error().message());
  if (k->held && wait && k->m.lifetime != base::duration::zero()) {
    k->renew_at = host_.now() + *wait;
    co_return;
  }
  k->renew_at = host_.now() + retry_lost;
  if (std::exchange(k->held, false) && on_change) on_change(k->m.inside, std::nullopt);
}

async::task<> mapper::run() {
  for (;;) {
    work_.reset();
    const auto next = std::ranges::min_element(kept_, {}, [](const auto& k) { return k->renew_at; });
    if (next == kept_.end()) {
      co_await work_.wait();
      continue;
    }
    if (const auto at = (*next)->renew_at; at > host_.now()) {
      (void)co_await async::first_of(wait_until_set(work_), nap(at - host_.now()));
      continue;
    }
    co_await renew(*next);
  }
}

async::task<> mapper::unmap(base::endpoint inside) {
  const auto found = std::ranges::find_if(kept_, [&](const auto& k) { return k->m.inside == inside; });
  if (found == kept_.end()) co_return;
  const auto k = *found;
  kept_.erase(found);
  k->gone = true;
  if (k->held) (void)co_await async::with_timeout(config_.release_limit, k->by->remove(k->m));
}

async::task<> mapper::release() {
  std::vector<base::endpoint> all;
  for (const auto& k : kept_) all.push_back(k->m.inside);
  co_await async::with_scope(async::at_end::join, [&](async::scope& s) -> async::task<> {
    for (const auto& inside : all) s.spawn("unmap", [this, inside] { return unmap(inside); });
    co_return;
  });
}

std::vector<mapping> mapper::mappings() const {
  std::vector<mapping> all;
  for (const auto& k : kept_)
    if (k->held) all.push_back(k->m);
  return all;
}

async::task<base::result<base::ip_address>> mapper::outside_address(base::ip_address inside) {
  auto* g = gate_for(inside);
  if (g == nullptr) co_return base::fail(errc::no_gateway);
  base::result<base::ip_address> found = base::fail(base::errc::timed_out);
  for (const auto& c : g->clients) {
    auto answer = co_await async::with_timeout(config_.patience, c->outside_address(inside));
    if (answer) co_return answer;
    if (answer.error() != errc::unsupported) found = base::fail(answer.error());
  }
  co_return found;
}

}  // namespace strata::portmap
