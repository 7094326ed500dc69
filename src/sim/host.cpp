#include "sim/host.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <stdexcept>
#include <utility>

#include "async/sleep.hpp"
#include "sim/network.hpp"
#include "sim/routing.hpp"

namespace strata::sim {

namespace {
constexpr base::duration lookup_time = std::chrono::milliseconds(5);
// The wall clock of every run starts here, so that certificates and tokens are the same in each.
constexpr base::wall_time epoch = std::chrono::sys_days(std::chrono::year(2026) / 1 / 1);
// RFC 7050 §2.2: the name that tells a host which prefix its network translates with.
const std::vector<base::ip_address> ipv4only = {base::ip_address::v4(192, 0, 0, 170), base::ip_address::v4(192, 0, 0, 171)};
}  // namespace

host::host(network& n, std::size_t index, std::string name, std::uint64_t seed)
    : network_(n), index_(index), name_(std::move(name)), generator_(seed, "host " + name_) {
  add_address("lo", base::ip_address::loopback(base::ip_family::v4), 8);
  add_address("lo", base::ip_address::loopback(base::ip_family::v6), 128);
}

base::ip_address host::address(std::size_t n) const {
  for (const auto& a : addresses_)
    if (!a.loopback && n-- == 0) return a.address;
  throw std::out_of_range("host " + name_ + " has not so many addresses");
}

void host::add_address(const std::string& interface, std::string_view text) {
  const auto slash = text.find('/');
  const auto a = base::ip_address::parse(text.substr(0, slash));
  if (!a) throw std::invalid_argument("no address: " + std::string(text));
  std::uint8_t prefix = a->is_v4() ? 24 : 64;
  if (slash != text.npos) {
    const auto digits = text.substr(slash + 1);
    if (std::from_chars(digits.data(), digits.data() + digits.size(), prefix).ec != std::errc())
      throw std::invalid_argument("no prefix length: " + std::string(text));
  }
  add_address(interface, *a, prefix);
}

void host::add_address(const std::string& interface, const base::ip_address& a, std::uint8_t prefix_length) {
  std::uint32_t index = 0, highest = 0;
  for (const auto& other : addresses_) {
    highest = std::max(highest, other.index);
    if (other.name == interface) index = other.index;
  }
  net::interface_address i;
  i.name = interface;
  i.index = index != 0 ? index : highest + 1;
  i.address = a;
  i.prefix_length = prefix_length;
  i.up = true;
  i.loopback = a.is_loopback();
  i.multicast = !i.loopback;
  addresses_.push_back(std::move(i));
  changed_.pulse();
}

void host::remove_address(const base::ip_address& a) {
  std::erase_if(addresses_, [&](const net::interface_address& i) { return i.address == a; });
  changed_.pulse();
}

void host::set_interface_up(const std::string& interface, bool up) {
  for (auto& i : addresses_)
    if (i.name == interface) i.up = up;
  changed_.pulse();
}

void host::set_down(bool d) {
  down_ = d;
  changed_.pulse();
}

void host::send_held() {
  for (auto& p : std::exchange(held_, {})) transmit(std::move(p));
}

void host::count(std::size_t& udp_sockets, std::size_t& tcp_streams, std::size_t& listeners) const {
  udp_sockets += udp_.sockets();
  tcp_streams += tcp_.streams();
  listeners += tcp_.listeners() + local_.listeners();
}

async::loop& host::loop() { return network_.loop(); }

base::wall_time host::wall_now() { return epoch + (now() - base::instant()); }

bool host::owns(const base::ip_address& a) const {
  const auto* i = find_address(addresses_, a);
  return i != nullptr && i->up;
}

bool host::may_bind(const base::ip_address& a) const { return a.is_unspecified() || a.is_multicast() || owns(a); }

void host::transmit(packet p) { network_.transmit(*this, std::move(p)); }

delivery host::deliver(const packet& p) {
  if (p.protocol == protocol::udp) return udp_.deliver(p);
  return tcp_.deliver(p) ? delivery::taken : delivery::nobody_listens;
}

net::result<std::unique_ptr<net::udp_socket>> host::bind_udp(const base::endpoint& local, net::udp_options o) {
  return udp_.bind(local, o);
}

async::task<net::result<std::unique_ptr<net::stream>>> host::connect_tcp(base::endpoint remote, net::tcp_options o) {
  return tcp_.connect(remote, o);
}

net::result<std::unique_ptr<net::listener>> host::listen_tcp(const base::endpoint& local, net::tcp_options) {
  return tcp_.listen(local);
}

async::task<net::result<std::unique_ptr<net::stream>>> host::connect_local(std::string path) { co_return local_.connect(path); }

net::result<std::unique_ptr<net::listener>> host::listen_local(const std::string& path) { return local_.listen(path); }

bool host::behind_nat64() const noexcept {
  for (const auto* r = router_; r != nullptr; r = r->parent())
    if (r->behaviour().nat64) return true;
  return false;
}

async::task<net::result<std::vector<base::ip_address>>> host::resolve(std::string name) {
  if (const auto literal = base::ip_address::parse(name)) co_return std::vector<base::ip_address>{*literal};
  if (name == "localhost")
    co_return std::vector<base::ip_address>{base::ip_address::loopback(base::ip_family::v4),
                                            base::ip_address::loopback(base::ip_family::v6)};
  co_await async::sleep_for(lookup_time);
  if (down_ || asleep_) co_return base::fail(base::errc::timed_out);
  auto found = network_.find_name(name);
  if (name == "ipv4only.arpa") found = ipv4only;
  if (!found) co_return base::fail(base::errc::not_found);
  if (behind_nat64()) {
    // DNS64 (RFC 6147 §5.1): what has no IPv6 address is given some. Who has no IPv4 of its own does not ask for it.
    std::vector<base::ip_address> made;
    if (std::ranges::none_of(*found, &base::ip_address::is_v6))
      std::ranges::transform(*found, std::back_inserter(made), to_nat64);
    found->insert(found->begin(), made.begin(), made.end());
    if (std::ranges::none_of(addresses_, [](const auto& i) { return i.address.is_v4() && !i.loopback; }))
      std::erase_if(*found, &base::ip_address::is_v4);
  }
  co_return std::move(*found);
}

}  // namespace strata::sim
