#include "turn/server/relay_server.hpp"

#include "turn/server/relay_server_impl.hpp"

namespace strata::turn::server {
namespace {

async::task<> wait_for(async::event& e) { co_await e.wait(); }
async::task<> wait_until(base::instant t) { co_await async::sleep_until(t); }

}  // namespace

relay_server::relay_server(net::host& h, config c, trace::tracer tracer)
    : impl_(std::make_unique<impl>(h, std::move(c), std::move(tracer))) {}
relay_server::~relay_server() = default;
base::result<void> relay_server::listen() { return impl_->listen(); }
async::task<> relay_server::run() { return impl_->run(); }
const counters& relay_server::counted() const noexcept { return impl_->counted(); }
void relay_server::use_identity(std::shared_ptr<const net::tls_server_identity> identity) {
  impl_->use_identity(std::move(identity));
}
std::size_t relay_server::allocations() const noexcept { return impl_->allocations(); }

std::vector<base::endpoint> relay_server::udp_endpoints() const {
  std::vector<base::endpoint> list;
  for (const auto& u : impl_->udp()) list.push_back(u.local);
  return list;
}

std::vector<base::endpoint> relay_server::tcp_endpoints() const {
  std::vector<base::endpoint> list;
  for (const auto& s : impl_->streams())
    if (s.transport == client_transport::tcp) list.push_back(s.local);
  return list;
}

std::vector<base::endpoint> relay_server::tls_endpoints() const {
  std::vector<base::endpoint> list;
  for (const auto& s : impl_->streams())
    if (s.transport == client_transport::tls) list.push_back(s.local);
  return list;
}

relay_server::impl::impl(net::host& h, config c, trace::tracer tracer)
    : host_(h), config_(std::move(c)), tracer_(std::move(tracer)) {}

base::result<void> relay_server::impl::listen() {
  if (config_.relay.empty() || config_.first_port > config_.last_port || (!config_.tls.empty() && !config_.identity))
    return base::fail(base::errc::invalid);
  for (const auto& e : config_.udp) {
    auto s = host_.bind_udp(e);
    if (!s) return base::fail(s.error());
    const auto local = (*s)->local_endpoint();
    udp_.push_back({local, std::move(*s)});
  }
  for (const auto transport : {client_transport::tcp, client_transport::tls}) {
    for (const auto& e : transport == client_transport::tcp ? config_.tcp : config_.tls) {
      auto l = host_.listen_tcp(beside(e));
      if (!l && e.port == 0) l = host_.listen_tcp(e);
      if (!l) return base::fail(l.error());
      const auto local = (*l)->local_endpoint();
      streams_.push_back({local, std::move(*l), transport});
    }
  }
  base::bytes secret(32);
  host_.random(secret);
  engine_ = std::make_unique<engine>(config_, find_own(), std::move(secret), host_.random_u64(), *this);
  return {};
}

// Where any port will do, TCP takes the one that UDP was given.
base::endpoint relay_server::impl::beside(const base::endpoint& wanted) const {
  for (const auto& u : udp_)
    if (wanted.port == 0 && u.local.address == wanted.address) return u.local;
  return wanted;
}

own_addresses relay_server::impl::find_own() const {
  own_addresses own;
  own.first_port = config_.first_port;
  own.last_port = config_.last_port;
  for (const auto& r : config_.relay) {
    own.relay.push_back(r.bind);
    if (r.announced) own.relay.push_back(*r.announced);
  }
  own.machine = machine();
  for (const auto& u : udp_) own.listening.push_back(u.local.port);
  for (const auto& s : streams_) own.listening.push_back(s.local.port);
  return own;
}

std::vector<base::ip_address> relay_server::impl::machine() const {
  std::vector<base::ip_address> list;
  for (const auto& i : host_.interfaces()) list.push_back(i.address);
  return list;
}

moment relay_server::impl::now() const {
  return {host_.now(), std::chrono::floor<std::chrono::seconds>(host_.wall_now()).time_since_epoch().count()};
}

async::task<> relay_server::impl::run() {
  co_await async::with_scope(async::at_end::cancel, [this](async::scope& s) -> async::task<> {
    scope_ = &s;
    for (std::size_t i = 0; i < udp_.size(); ++i) s.spawn("TURN over UDP", [this, i] { return serve_udp(i); });
    for (std::size_t i = 0; i < streams_.size(); ++i) s.spawn("TURN listener", [this, i] { return accept(i); });
    s.spawn("addresses of the machine", [this] { return watch_interfaces(); });
    co_await expire();
  });
}

async::task<> relay_server::impl::expire() {
  for (;;) {
    schedule_changed_.reset();
    scheduled_ = engine_->next_expiry();
    co_await async::first_of(wait_until(scheduled_), wait_for(schedule_changed_));
    engine_->expire(host_.now());
  }
}

// A service of this machine is no peer, on whatever address it has today.
async::task<> relay_server::impl::watch_interfaces() {
  for (;;) {
    co_await host_.interfaces_changed();
    engine_->set_machine(machine());
  }
}

async::task<> relay_server::impl::serve_udp(std::size_t index) {
  auto& listening = udp_[index];
  for (;;) {
    const auto batch = co_await listening.socket->receive();
    if (!batch) {
      tracer_(host_.now(), trace::note{trace::layer::turn, "server socket", batch.error().message()});
      co_return;
    }
    for (const auto& d : *batch) on_message(d.payload, {d.peer, listening.local, client_transport::udp});
  }
}

void relay_server::impl::on_message(base::byte_view message, const five_tuple& tuple) {
  out_.clear();
  const auto o = engine_->from_client(message, tuple, now(), out_);
  switch (o.what) {
    case outcome::kind::answered: send_to_client(tuple, out_); break;
    case outcome::kind::dropped:
      tracer_(host_.now(), trace::drop{trace::layer::turn, o.reason, tuple.client, message.size()});
      break;
    case outcome::kind::to_peer: {
      const auto at = relays_.find({o.from, o.peer.address.family()});
      if (at == relays_.end()) break;
      auto& r = *at->second;
      // What we announce may not lead back to us: between two relayed addresses of ours the bound one is used.
      const auto to = o.peer.address == r.where.seen() ? base::endpoint{r.where.bind, o.peer.port} : o.peer;
      if (!r.socket->send(to, o.payload)) ++engine_->counted().dropped_outbox_full;
      break;
    }
  }
  if (engine_->next_expiry() != scheduled_) schedule_changed_.set();
}

std::optional<base::endpoint> relay_server::impl::open(allocation_id id, base::ip_family f, bool even_port) {
  constexpr int attempts = 64;
  const relay_address* where = nullptr;
  for (const auto& r : config_.relay)
    if (r.bind.family() == f) where = &r;
  if (where == nullptr) return std::nullopt;
  const unsigned span = config_.last_port - config_.first_port + 1u;
  for (int i = 0; i < attempts; ++i) {
    // RFC 8656 §7.2: ports that nobody can guess (RFC 6056).
    auto port = config_.first_port + static_cast<unsigned>(host_.random_below(span));
    if (even_port) port &= ~1u;
    if (port < config_.first_port) continue;
    auto socket = host_.bind_udp({where->bind, static_cast<std::uint16_t>(port)});
    if (!socket) continue;
    auto r = std::make_shared<relay>();
    r->where = *where;
    r->socket = std::move(*socket);
    relays_[{id, f}] = r;
    r->socket->on_unreachable = [this, id, where = r.get()](const base::endpoint& peer, base::errc why) {
      on_unreachable(id, *where, peer, why);
    };
    scope_->spawn("relayed address", [this, id](std::shared_ptr<relay> mine) { return read_relay(id, std::move(mine)); }, r);
    return base::endpoint{where->seen(), static_cast<std::uint16_t>(port)};
  }
  return std::nullopt;
}

void relay_server::impl::close(allocation_id id, base::ip_family f) {
  const auto at = relays_.find({id, f});
  if (at == relays_.end()) return;
  at->second->ended.set();
  relays_.erase(at);
}

void relay_server::impl::on_unreachable(allocation_id id, const relay& r, const base::endpoint& peer, base::errc why) {
  if (r.ended.is_set()) return;
  // What the sockets report as one of two is, of each family's many reasons, the plainest.
  const bool refused = why == base::errc::refused;
  if (!refused && why != base::errc::unreachable) return;
  stun::icmp report;
  if (peer.address.is_v4()) {
    report.icmp_type = 3;           // RFC 792: destination unreachable…
    report.code = refused ? 3 : 1;  // …port, host
  } else {
    report.icmp_type = 1;           // RFC 4443 §3.1…
    report.code = refused ? 4 : 3;  // …port, address
  }
  const auto from = peer.address == r.where.bind ? base::endpoint{r.where.seen(), peer.port} : peer;
  base::bytes out;
  if (const auto* tuple = engine_->from_network(id, from, report, host_.now(), out)) send_to_client(*tuple, out);
}

async::task<> relay_server::impl::read_relay(allocation_id id, std::shared_ptr<relay> r) {
  co_await async::first_of(receive_from_peers(id, *r), wait_for(r->ended));
}

async::task<> relay_server::impl::receive_from_peers(allocation_id id, relay& r) {
  for (;;) {
    const auto batch = co_await r.socket->receive();
    if (!batch) {
      tracer_(host_.now(), trace::note{trace::layer::turn, "relayed address", batch.error().message()});
      co_return;
    }
    for (const auto& d : *batch) {
      if (r.ended.is_set()) co_return;
      out_.clear();
      const auto from = d.peer.address == r.where.bind ? base::endpoint{r.where.seen(), d.peer.port} : d.peer;
      if (const auto* tuple = engine_->from_peer(id, from, d.payload, host_.now(), out_)) send_to_client(*tuple, out_);
    }
  }
}

}  // namespace strata::turn::server
