#include "sim/network.hpp"

#include "sim/flight.hpp"

namespace strata::sim {

network::network(std::uint64_t seed) : seed_(seed) {}

network::~network() {
  for (auto& root : background_) root.request_cancel();
  while (!background_.empty()) {
    loop_.run_for(std::chrono::seconds(1));
    // A failure during clean-up has nobody left to hear it.
    background_.remove_if([](const auto& root) { return root.done(); });
  }
}

host& network::add_host(std::string name, std::initializer_list<std::string_view> addresses) {
  auto h = std::make_unique<host>(*this, hosts_.size(), std::move(name), seed_);
  for (const auto text : addresses) h->add_address("eth0", text);
  return add(std::move(h));
}

host& network::add_host(std::string name, std::initializer_list<base::ip_address> addresses) {
  auto h = std::make_unique<host>(*this, hosts_.size(), std::move(name), seed_);
  for (const auto& a : addresses) h->add_address("eth0", a, a.is_v4() ? 24 : 64);
  return add(std::move(h));
}

host& network::add(std::unique_ptr<host> h) {
  hosts_.push_back(std::move(h));
  return *hosts_.back();
}

router& network::add_router(std::string name, router_behaviour b, std::vector<base::ip_address> outside, router* behind) {
  routers_.push_back(std::make_unique<router>(std::move(name), std::move(b), std::move(outside), behind, seed_));
  return *routers_.back();
}

host& network::add_host_behind(router& r, std::string name, std::initializer_list<std::string_view> addresses) {
  auto& h = add_host(std::move(name), addresses);
  h.set_router(&r);
  return h;
}

router* network::find_router(std::string_view name) const {
  for (const auto& r : routers_)
    if (r->name() == name) return r.get();
  return nullptr;
}

void network::add_name(std::string name, std::vector<base::ip_address> addresses) {
  names_[std::move(name)] = std::move(addresses);
}

std::optional<std::vector<base::ip_address>> network::find_name(const std::string& name) const {
  if (const auto entry = names_.find(name); entry != names_.end()) return entry->second;
  for (const auto& h : hosts_) {
    if (h->name() != name) continue;
    std::vector<base::ip_address> found;
    for (const auto& i : h->addresses())
      if (!i.loopback) found.push_back(i.address);
    return found;
  }
  return std::nullopt;
}

void network::start(async::named name, async::task<> t) { background_.emplace_back(loop_, name, std::move(t)); }

void network::collect() {
  for (auto root = background_.begin(); root != background_.end();) {
    if (!root->done()) {
      ++root;
      continue;
    }
    std::list<async::root_task<void>> ended;  // gone from here before take() throws
    const auto next = std::next(root);
    ended.splice(ended.end(), background_, root);
    root = next;
    if (ended.front().returned()) ended.front().take();
  }
}

void network::all_links(const impairments& i) {
  default_ = i;
  for (auto& [way, l] : links_)
    if (!own_setting_.contains(way)) l.set(i);
}

void network::link(host& a, host& b, const impairments& i) {
  link_one_way(a, b, i);
  link_one_way(b, a, i);
}

void network::link_one_way(host& from, host& to, const impairments& i) {
  link_between(from, to).set(i);
  own_setting_.insert({from.index(), to.index()});
}

link_direction& network::link_between(const host& from, const host& to) {
  const direction way(from.index(), to.index());
  const auto known = links_.find(way);
  if (known != links_.end()) return known->second;
  return links_.emplace(way, link_direction(default_, generator(seed_, "link " + from.name() + " > " + to.name())))
      .first->second;
}

network::holdings network::held() const {
  holdings sum;
  for (const auto& h : hosts_) h->count(sum.udp_sockets, sum.tcp_streams, sum.listeners);
  sum.packets = flights_.size();
  sum.background = background_.size();
  sum.fibers = loop_.fibers();
  sum.timers = loop_.timers();
  return sum;
}

void network::partition(host& a, host& b) {
  partitions_.insert({a.index(), b.index()});
  partitions_.insert({b.index(), a.index()});
}

void network::heal(host& a, host& b) {
  partitions_.erase({a.index(), b.index()});
  partitions_.erase({b.index(), a.index()});
}

void network::set_down(host& h) {
  h.set_asleep(false);  // the battery is empty
  h.drop_held();
  h.reset_connections();
  h.set_down(true);
}

void network::set_up(host& h) { h.set_down(false); }

void network::set_asleep(host& h) { h.set_asleep(true); }

void network::wake(host& h) {
  h.set_asleep(false);
  h.send_held();
}

bool network::blocked(const host& from, const host& to) const {
  return to.down() || (to.asleep() && &from != &to) || partitions_.contains({from.index(), to.index()});
}

}  // namespace strata::sim
