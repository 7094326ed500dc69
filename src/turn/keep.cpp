// Keeping an allocation (RFC 8656 §8), its permissions (§10) and channels (§12), and giving it back.
#include "stun/attributes.hpp"
#include "stun/message_writer.hpp"
#include "turn/allocation_state.hpp"

namespace strata::turn {
namespace {

constexpr auto again_after = std::chrono::seconds(5);
constexpr auto keepalive = std::chrono::seconds(20);  // RFC 4787 §4.3 knows NATs that forget after 30 s, against its advice
constexpr auto farewell = std::chrono::milliseconds(500);

// §8.3, §5: after these the allocation is not there any more, or not ours.
bool is_fatal(const base::error& e) { return e == stun::response_error(437) || e == stun::response_error(441); }
bool is_refusal(const base::error& e) { return e == stun::response_error(403) || e == stun::response_error(443); }

async::task<base::result<base::duration>> refresh(allocation::state& s, std::chrono::seconds wanted) {
  auto answer = co_await s.client.request(
      s.way->server(), stun::method::refresh,
      [wanted](stun::message_writer& w) { w.add(stun::lifetime{static_cast<std::uint32_t>(wanted.count())}); },
      {stun::attribute_type::lifetime});
  if (!answer) co_return base::fail(answer.error());
  const auto granted = answer->message().get<stun::lifetime>();
  if (!granted) co_return base::fail(errc::unusable_answer);
  co_return base::duration(std::chrono::seconds(granted->value));
}

// §10.1: one request for all addresses of a family; a refusal says nothing about which, so they are asked for one by one then.
async::task<base::result<void>> create_permissions(allocation::state& s, std::vector<base::ip_address> peers) {
  auto answer = co_await s.client.request(s.way->server(), stun::method::create_permission, [peers](stun::message_writer& w) {
    for (const auto& p : peers) w.add(stun::xor_peer_address{{p, 0}});
  });
  if (!answer) co_return base::fail(answer.error());
  co_return base::result<void>();
}

async::task<> ask_for_permissions(allocation::state& s, std::vector<base::ip_address> peers) {
  const auto granted = co_await create_permissions(s, peers);
  if (granted) {
    s.counts.permissions += peers.size();
    for (const auto& p : peers) s.peers.granted(p, s.now());
    release_held(s);
    co_return;
  }
  if (is_fatal(granted.error())) co_return s.end(errc::lost);
  if (peers.size() > 1) {
    for (const auto& p : peers) co_await ask_for_permissions(s, {p});
    co_return;
  }
  s.tracer(s.now(), trace::note{trace::layer::turn, "permission for " + peers.front().to_string(), explain(granted.error())});
  s.peers.failed(peers.front(), s.now(), is_refusal(granted.error()));
  release_held(s);
}

async::task<> bind_channel(allocation::state& s, peer_table::bind_request b) {
  const auto answer = co_await s.client.request(s.way->server(), stun::method::channel_bind, [b](stun::message_writer& w) {
    w.add(stun::channel_number{b.channel});
    w.add(stun::xor_peer_address{b.peer});
  });
  if (answer) {
    ++s.counts.channel_binds;
    s.peers.bound(b.channel, s.now());
    release_held(s);
  } else if (is_fatal(answer.error())) {
    s.end(errc::lost);
  } else if (b.again && answer.error() == stun::response_error(400)) {
    s.end(errc::lost);  // §12.3: what the server knows of the channel is not what we know
  } else {
    s.tracer(s.now(), trace::note{trace::layer::turn, "channel to " + b.peer.to_string(), explain(answer.error())});
    s.peers.bind_failed(b.channel, s.now());
  }
}

}  // namespace

void allocation::state::end(base::error why) {
  if (ended) return;
  tracer(now(), trace::note{trace::layer::turn, config.server.name(), explain(why)});
  ended = std::move(why);
  over.set();
  arrived.pulse();
}

async::task<> keep_allocation(allocation::state& s) {
  auto next = s.now() + refresh_delay(s.lifetime);
  for (;;) {
    co_await async::sleep_until(std::min(next, s.expires));
    if (s.now() >= s.expires) {  // a server that is silent for so long has forgotten us
      s.told = true;
      co_return s.end(errc::lost);
    }
    const auto wanted = std::chrono::duration_cast<std::chrono::seconds>(s.config.lifetime);
    const auto granted = co_await refresh(s, wanted);
    if (granted && *granted > base::duration::zero()) {
      ++s.counts.refreshes;
      s.lifetime = *granted;
      s.expires = s.now() + s.lifetime;
      next = s.now() + refresh_delay(s.lifetime);
    } else if (granted || is_fatal(granted.error())) {
      s.told = true;
      co_return s.end(errc::lost);
    } else {
      next = s.now() + again_after;
    }
  }
}

async::task<> keep_peers(allocation::state& s) {
  for (;;) {
    s.work_for_peers.reset();
    auto due = s.peers.permissions_due(s.now());
    for (const auto f : {base::ip_family::v4, base::ip_family::v6}) {
      std::vector<base::ip_address> of_family;
      for (const auto& p : due)
        if (p.family() == f) of_family.push_back(p);
      if (!of_family.empty()) co_await ask_for_permissions(s, std::move(of_family));
    }
    while (const auto b = s.peers.channel_due(s.now())) co_await bind_channel(s, *b);
    const auto next = s.peers.next_due(s.now());
    const auto wait = [](async::event& e) -> async::task<> { co_await e.wait(); };
    if (next == base::never) co_await wait(s.work_for_peers);
    else if (next > s.now()) co_await async::with_timeout(next - s.now(), wait(s.work_for_peers));
  }
}

// A NAT on the way that forgets us gives us another address, and the server knows no allocation of that one.
async::task<> keep_path(allocation::state& s) {
  if (s.way->reliable()) co_await s.over.wait();
  while (!s.ended) {
    co_await async::sleep_until(s.last_sent + keepalive);
    if (s.now() < s.last_sent + keepalive) continue;
    base::bytes out;
    stun::transaction_id id;
    s.host.random(id);
    stun::message_writer(out, {stun::message_class::indication, stun::method::binding}, id).fingerprint();
    (void)s.send(out, false);
  }
}

// §8.1: lifetime zero. A server that does not answer finds out by itself.
async::task<> give_back(allocation::state& s) {
  if (std::exchange(s.told, true)) co_return;
  const auto goodbye = [](allocation::state& self) -> async::task<> {
    co_await async::first_of(listen(self), refresh(self, std::chrono::seconds(0)));
  };
  co_await async::with_timeout(farewell, goodbye(s));
}

}  // namespace strata::turn
