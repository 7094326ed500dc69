#include "simulation/world.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <stdexcept>

namespace strata::simulation {
namespace {

using namespace std::chrono_literals;

constexpr base::duration relink_patience = 180s;  // after the last fault; a link's longest attempt and pause are 95 s
// What waits in front of a message has to cross first: through a relay that is three links in a row.
base::duration talk_patience(const plan& p) {
  const bool slow = p.lost() > 0.05 || (p.lost() > 0 && p.links.latency > 100ms);
  return slow ? base::duration(5min) : base::duration(60s);
}
// From relay to direct: attempts that were of no use come ever more seldom, up to ten minutes apart.
constexpr base::duration climb_patience = 11min;
constexpr base::duration allocation_lifetime = 10min;  // what nobody deletes ends after it (RFC 8656 §3.2)
constexpr base::duration stop_patience = 10s;
constexpr base::duration look = 100ms;

const std::string relay_secret(32, 'r');

turn::server::config relay_config(const sim::host& h) {
  turn::server::config c;
  for (const auto& a : {h.address(0), h.address(1)}) {
    c.udp.push_back({a, 3478});
    c.tcp.push_back({a, 3478});
    c.tcp.push_back({a, 443});
    c.relay.push_back({a});
  }
  c.secrets = {relay_secret};
  c.peers = turn::server::peer_policy::everything();
  return c;
}

registry::service_config registry_config(const sim::host& h, const std::string& keys) {
  registry::service_config c;
  // 443, since there are networks that let nothing else pass.
  c.listen = {{h.address(0), 443}, {h.address(1), 443}};
  c.stun = base::endpoint{h.address(), 3478};
  c.public_stun = {"relay:3478"};
  c.turn_urls = {"turn:relay:3478?transport=udp", "turn:relay:3478?transport=tcp", "turn:relay:443?transport=tcp"};
  c.turn_secret = relay_secret;
  c.keys_file = keys;
  c.token_secret = std::string(32, 's');
  return c;
}

mesh::node_config node_config(const std::string& name) {
  mesh::node_config c;
  c.signaling.signaling_url = "ws://registry:443/ws";
  c.signaling.token_url = "http://registry:443/api/token";
  c.signaling.api_key = "ak_for_" + name;
  c.ipc_path = program::local_path(name);
  return c;
}

std::string write_keys() {
  std::string path = "/tmp/strata-sim-keys-XXXXXX";
  const int fd = ::mkstemp(path.data());
  if (fd < 0) throw std::runtime_error("cannot write to /tmp");
  ::close(fd);
  auto keys = base::json::object();
  for (std::size_t n = 0; n < most_peers; ++n) {
    const std::string name(peer_name(n));
    keys.emplace_back("ak_for_" + name, base::json::make({{"peer_id", name}, {"role", "agent"}}));
  }
  std::ofstream(path) << base::json::make({{"keys", std::move(keys)}}).dump();
  return path;
}

}  // namespace

void host_sink::on_event(base::instant at, const trace::subject_id& connection, const trace::event& e) {
  if (const auto* p = std::get_if<trace::packet>(&e); p != nullptr && p->way != trace::direction::sent) return;
  if (const auto* p = std::get_if<trace::inner_packet>(&e); p != nullptr && p->way != trace::direction::sent) return;
  to_.on_event(at, connection.empty() ? host_ : host_ + ":" + connection, e);
}

world::world(const plan& p, trace::sink* sink)
    : net(p.seed),
      plan_(p),
      sink_(sink),
      keys_file_(write_keys()),
      registry_host_(net.add_host("registry", {"192.0.2.200", "2001:db8:ffff::200"})),
      relay_host_(net.add_host("relay", {"192.0.2.201", "2001:db8:ffff::201"})) {
  net.all_links(p.links);
  net.set_limit(24h);
  std::vector<sim::host*> hosts;
  for (std::size_t n = 0; n < p.peers; ++n) {
    auto& h = sim::put(net, p.place_of(n), std::string(peer_name(n)), static_cast<unsigned>(n + 1));
    if (p.second_interface && n == 0) h.add_address("wlan0", "192.0.2.1");
    hosts.push_back(&h);
    peers_.push_back(std::make_unique<peer>(h));
    peers_.back()->program = std::make_unique<program>(h, n, p, books);
  }
  for (const auto way : {enemy::way::forges, enemy::way::replays}) {
    auto& h = net.add_host(way == enemy::way::forges ? "forger" : "replayer", {address_of(way)});
    if (p.enemies) enemies_.push_back(std::make_unique<enemy>(h, way, p.seed));
    wires.unproved(h.address(), way == enemy::way::forges ? 16 : 27);
  }
  wires.forwards(relay_host_.address(0));
  wires.forwards(relay_host_.address(1));
  net.tap([this](const sim::packet_event& e) {
    wires.saw(e);
    for (const auto& x : enemies_) x->saw(e);
  });
  faults_.emplace(net, p, hosts, registry_host_, relay_host_,
                  faults::hooks{.kill_sidecar =
                                    [this](std::size_t n, base::duration away) {
                                      peers_[n]->sidecar.away = away;
                                      books.sidecar_died(n);
                                      peers_[n]->sidecar.killed.pulse();
                                    },
                                .kill_registry =
                                    [this](base::duration away) {
                                      registry_.away = away;
                                      registry_.killed.pulse();
                                    },
                                .kill_relay =
                                    [this](base::duration away) {
                                      relay_.away = away;
                                      relay_.killed.pulse();
                                    },
                                .stall_program = [this](std::size_t n, bool stalled) { peers_[n]->program->stall(stalled); },
                                .note = [this](std::string_view text) { note(text); }});
}

world::~world() { ::unlink(keys_file_.c_str()); }

void world::note(std::string_view text) {
  if (sink_ != nullptr) sink_->on_event(net.now(), "simulation", trace::note{trace::layer::net, "fault", text});
}

namespace {
async::task<> wait(async::event& e) { co_await e.wait(); }
}  // namespace

async::task<> world::keep_registry() {
  auto& r = registry_;
  while (!r.stopping) {
    if (sink_ != nullptr) r.sink = std::make_unique<host_sink>(*sink_, "registry");
    r.daemon = std::make_unique<registry::service>(registry_host_, registry_config(registry_host_, keys_file_),
                                                   r.sink ? trace::tracer(*r.sink, {}) : trace::tracer());
    if (const auto wrong = r.daemon->start(); !wrong.empty()) throw std::runtime_error("the registry does not start: " + wrong);
    co_await async::first_of(r.daemon->run(), wait(r.killed));
    r.daemon.reset();
    if (!r.stopping) co_await async::sleep_for(r.away);
  }
  r.ended = true;
}

async::task<> world::keep_relay() {
  auto& r = relay_;
  while (!r.stopping) {
    if (sink_ != nullptr) r.sink = std::make_unique<host_sink>(*sink_, "relay");
    r.daemon = std::make_unique<turn::server::relay_server>(relay_host_, relay_config(relay_host_),
                                                            r.sink ? trace::tracer(*r.sink, {}) : trace::tracer());
    if (const auto bound = r.daemon->listen(); !bound)
      throw std::runtime_error("the relay does not start: " + bound.error().message());
    co_await async::first_of(r.daemon->run(), wait(r.killed));
    r.daemon.reset();
    if (!r.stopping) co_await async::sleep_for(r.away);
  }
  r.ended = true;
}

async::task<> world::keep_sidecar(peer& p) {
  auto& d = p.sidecar;
  while (!d.stopping) {
    if (sink_ != nullptr) d.sink = std::make_unique<host_sink>(*sink_, p.host.name());
    d.daemon = std::make_unique<mesh::node>(p.host, node_config(p.host.name()), d.sink.get());
    if (const auto bound = d.daemon->listen(); !bound)
      throw std::runtime_error("a sidecar does not start: " + bound.error().message());
    co_await async::first_of(d.daemon->run(), wait(d.killed));
    d.daemon.reset();
    if (!d.stopping) co_await async::sleep_for(d.away);
  }
  d.ended = true;
}

bool world::linked() const {
  return std::ranges::all_of(peers_, [&](const auto& p) {
    const auto* n = p->sidecar.daemon.get();
    return n != nullptr && n->status().find("open")->as_int() == static_cast<std::int64_t>(peers_.size()) - 1;
  });
}

// Pairs that go through the relay where they need not.
std::string world::worse_than_possible() const {
  std::string text;
  for (std::size_t a = 0; a < peers_.size(); ++a)
    for (std::size_t b = 0; b < peers_.size(); ++b) {
      const auto* node = peers_[a]->sidecar.daemon.get();
      if (a == b || node == nullptr || sim::best_tier(plan_.place_of(a), plan_.place_of(b)) != sim::tier::direct) continue;
      const auto link = node->link_status(peer_name(b));
      const auto* connection = link.find("connection");
      const auto type = [&](std::string_view side) {
        const auto* c = connection != nullptr ? connection->find(side) : nullptr;
        return c != nullptr ? c->text("type") : std::string_view("none");
      };
      if (type("local") == "relay" || type("remote") == "relay" || type("local") == "none")
        text += fmt::format(" {}>{} {}-{}", peer_name(a), peer_name(b), type("local"), type("remote"));
    }
  return text;
}

std::string world::who_is_apart() const {
  std::string text;
  for (const auto& p : peers_)
    for (const auto& other : peers_) {
      if (p == other) continue;
      const auto link = p->sidecar.daemon != nullptr ? p->sidecar.daemon->link_status(other->host.name()) : base::json();
      if (link.text("state") != "open")
        text += fmt::format(" {}>{} {} ({})", p->host.name(), other->host.name(), link.text("state"), link.text("reason"));
    }
  for (const auto& p : peers_)
    if (p->sidecar.daemon != nullptr)
      text += fmt::format("; {} {}", p->host.name(), p->sidecar.daemon->status().text("signaling"));
  return text;
}

std::string world::broken() const {
  if (!books.broken().empty()) return "message: " + books.broken();
  if (!wires.broken().empty()) return "wire: " + wires.broken();
  if (!apart_.empty()) return apart_;
  return {};
}

async::task<bool> world::all_linked(base::duration patience) {
  const auto until = net.now() + patience;
  while (!linked()) {
    if (net.now() > until) co_return false;
    co_await async::sleep_for(look);
  }
  co_return true;
}

async::task<std::string> world::best_tiers() {
  const auto until = net.now() + climb_patience;
  for (;;) {
    auto worse = worse_than_possible();
    if (worse.empty()) co_return worse;
    if (net.now() > until) co_return "tier: still relayed though there is a direct way:" + worse;
    co_await async::sleep_for(1s);
  }
}

// Sidecars that end in order delete their allocations; where a fault took the way to do so they last for their lifetime, and
// so do those that a late copy of an Allocate makes anew.
async::task<std::string> world::relay_forgets() {
  const auto& l = plan_.links;
  if (!plan_.faults.empty() || plan_.lost() + l.duplicate + l.reorder > 0) co_await async::sleep_for(allocation_lifetime);
  co_await async::sleep_for(stop_patience);
  const auto left = relay_.daemon != nullptr ? relay_.daemon->allocations() : 0;
  if (left != 0) co_return fmt::format("leak: the relay still holds {} allocations", left);
  co_return std::string();
}

// A message gets through in time. What waited for longer comes before it, and as long as that arrives all is well. One that was
// reported as lost is said again.
async::task<std::string> world::talk_again(std::size_t from, std::size_t to) {
  auto number = co_await peers_[from]->program->say(to);
  auto so_far = books.arrivals(from, to);
  for (auto until = net.now() + talk_patience(plan_); net.now() < until; co_await async::sleep_for(look)) {
    if (books.has_arrived(from, to, number)) co_return std::string();
    if (books.is_excused(from, to, number)) number = co_await peers_[from]->program->say(to);
    if (std::exchange(so_far, books.arrivals(from, to)) != so_far) until = net.now() + talk_patience(plan_);
  }
  co_return fmt::format("apart: {} and {} are linked, and no message passes", peer_name(from), peer_name(to));
}

async::task<std::string> world::everybody_talks_again() {
  for (std::size_t from = 0; from < peers_.size(); ++from)
    for (std::size_t to = 0; to < peers_.size(); ++to) {
      if (from == to) continue;
      if (auto wrong = co_await talk_again(from, to); !wrong.empty()) co_return wrong;
    }
  const auto until = net.now() + talk_patience(plan_);
  while (!books.settled() && net.now() < until) co_await async::sleep_for(look);
  if (const auto lost = books.outstanding(); !lost.empty())
    co_return fmt::format("message: {} did not arrive, and nobody was told ({} such)", lost.front(), lost.size());
  co_return std::string();
}

// A way that exists is in use, all along and not only at the end.
async::task<> world::watch() {
  const auto began = net.now();
  while (watched_) {
    if (apart_.empty() && plan_.calm_for(net.now() - began) > relink_patience && !linked())
      apart_ = fmt::format("apart: after {:.0f} s{}", base::milliseconds(net.now() - began) / 1000, who_is_apart());
    co_await async::sleep_for(1s);
  }
}

async::task<bool> world::stop_everything() {
  watched_ = false;
  for (const auto& p : peers_) {
    p->sidecar.stopping = true;
    if (p->sidecar.daemon != nullptr) p->sidecar.daemon->stop();
  }
  const auto until = net.now() + stop_patience;
  const auto ended = [](const auto& p) { return p->sidecar.ended; };
  while (!std::ranges::all_of(peers_, ended) && net.now() < until) co_await async::sleep_for(look);
  registry_.stopping = true;
  if (registry_.daemon != nullptr) registry_.daemon->stop();
  while (!registry_.ended && net.now() < until) co_await async::sleep_for(look);
  co_return std::ranges::all_of(peers_, ended) && registry_.ended;
}

void world::break_something(async::scope& s) {
  auto& h = peers_[0]->host;
  switch (plan_.broken) {
    case sabotage::leak: leaked_ = std::move(*h.bind_udp({h.address(), 0})); break;
    case sabotage::amplify:
    case sabotage::unproved:
      s.spawn("sabotage", [this, &h]() -> async::task<> {
        auto socket = h.bind_udp({h.address(), 0});
        const base::bytes data(100, plan_.broken == sabotage::amplify ? 0 : 22);
        const auto& to = plan_.broken == sabotage::amplify ? address_of(enemy::way::forges) : registry_host_.address();
        (*socket)->send({to, 3478}, data);
        co_await async::sleep_for(1s);
      });
      break;
    case sabotage::crash: std::abort();
    default: break;
  }
}

async::task<std::string> world::story(async::scope& s) {
  s.spawn("registry", [this] { return keep_registry(); });
  s.spawn("relay", [this] { return keep_relay(); });
  for (auto& p : peers_) {
    s.spawn("sidecar " + p->host.name(), [this, &p] { return keep_sidecar(*p); });
    s.spawn("program " + p->host.name(), [&p] { return p->program->run(); });
    p->program->talk(true);
  }
  for (const auto& e : enemies_) s.spawn("enemy", [&e] { return e->run(); });
  for (const auto& f : plan_.faults) s.spawn("fault", [this, f] { return faults_->happen(f); });
  break_something(s);
  s.spawn("watch", [this] { return watch(); });
  co_await async::sleep_for(std::max<base::duration>(plan_.talk, plan_.healed_at()) + look);
  const auto healed = net.now();
  note("the last fault is over");
  if (!co_await all_linked(relink_patience)) co_return "apart:" + who_is_apart();
  linked_again = base::milliseconds(net.now() - healed) / 1000;
  for (auto& p : peers_) p->program->talk(false);
  auto wrong = co_await best_tiers();
  if (wrong.empty()) wrong = co_await everybody_talks_again();
  if (auto b = broken(); !b.empty()) co_return b;
  if (!wrong.empty()) co_return wrong;
  if (!co_await stop_everything()) co_return "stop: a daemon does not end when it is asked to";
  if (auto held = co_await relay_forgets(); !held.empty()) co_return held;
  relay_.stopping = true;
  relay_.killed.pulse();
  co_return broken();
}

async::task<std::string> world::live() {
  auto wrong = co_await async::with_scope(async::at_end::cancel,
                                          [this](async::scope& s) -> async::task<std::string> { co_return co_await story(s); });
  async::event never;
  if (plan_.broken == sabotage::sleep_forever) co_await never.wait();
  co_return wrong;
}

std::uint64_t world::hash() const {
  sim::trace_hash sum;
  sum.add(net.hash());
  for (const auto& p : peers_) sum.add(p->program->heard_hash());
  return sum.value();
}

std::string world::left_behind() {
  for (auto& p : peers_) p->sidecar.daemon.reset();
  registry_.daemon.reset();
  relay_.daemon.reset();
  net.run_for(30min);  // the last TCP segments give up
  const auto h = net.held();
  if (h.none()) return {};
  return fmt::format("leak: {} UDP sockets, {} TCP streams, {} listeners, {} packets, {} roots, {} fibers, {} timers",
                     h.udp_sockets, h.tcp_streams, h.listeners, h.packets, h.background, h.fibers, h.timers);
}

}  // namespace strata::simulation
