// A complete net::host in the simulator. Made by network::add_host.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "async/event.hpp"
#include "net/host.hpp"
#include "sim/generator.hpp"
#include "sim/local.hpp"
#include "sim/packet.hpp"
#include "sim/receive_pace.hpp"
#include "sim/tcp.hpp"
#include "sim/udp.hpp"

namespace strata::sim {

class network;
class router;

class host final : public net::host {
 public:
  host(network& n, std::size_t index, std::string name, std::uint64_t seed);

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] base::ip_address address(std::size_t n = 0) const;  // the n-th that is not loopback
  // "192.0.2.1" or "192.0.2.1/24"; makes the interface when it is new. Throws on text that is no address.
  void add_address(const std::string& interface, std::string_view text);
  void add_address(const std::string& interface, const base::ip_address& a, std::uint8_t prefix_length);
  void remove_address(const base::ip_address& a);
  void set_interface_up(const std::string& interface, bool up);

  // Whether a datagram to a port where nobody listens is answered by an ICMP error; a firewall may keep silent.
  void set_refuses(bool r) noexcept { refuses_ = r; }
  [[nodiscard]] bool refuses() const noexcept { return refuses_; }

  // How much its programs read in a second, over all sockets and streams; 0: as fast as it arrives. Windows fill and writers
  // wait; of datagrams, what finds the inbox full is dropped.
  void set_receive_rate(std::uint64_t bytes_per_second) noexcept { pace_.set(bytes_per_second); }

  // net::host
  [[nodiscard]] async::loop& loop() override;
  [[nodiscard]] base::wall_time wall_now() override;
  void random(base::byte_span out) override { generator_.fill(out); }
  [[nodiscard]] net::result<std::unique_ptr<net::udp_socket>> bind_udp(const base::endpoint& local,
                                                                       net::udp_options o = {}) override;
  [[nodiscard]] async::task<net::result<std::unique_ptr<net::stream>>> connect_tcp(base::endpoint remote,
                                                                                   net::tcp_options o = {}) override;
  [[nodiscard]] net::result<std::unique_ptr<net::listener>> listen_tcp(const base::endpoint& local,
                                                                       net::tcp_options o = {}) override;
  [[nodiscard]] async::task<net::result<std::unique_ptr<net::stream>>> connect_local(std::string path) override;
  [[nodiscard]] net::result<std::unique_ptr<net::listener>> listen_local(const std::string& path) override;
  [[nodiscard]] async::task<net::result<std::vector<base::ip_address>>> resolve(std::string name) override;
  [[nodiscard]] std::vector<net::interface_address> interfaces() override { return addresses_; }
  [[nodiscard]] async::task<> interfaces_changed() override { co_await changed_.wait(); }

  // For the network and the sockets.
  [[nodiscard]] std::size_t index() const noexcept { return index_; }
  [[nodiscard]] bool owns(const base::ip_address& a) const;  // on an interface that is up
  [[nodiscard]] bool may_bind(const base::ip_address& a) const;
  [[nodiscard]] const std::vector<net::interface_address>& addresses() const noexcept { return addresses_; }
  [[nodiscard]] router* behind() const noexcept { return router_; }
  void set_router(router* r) noexcept { router_ = r; }
  [[nodiscard]] bool down() const noexcept { return down_; }
  [[nodiscard]] receive_pace& pace() noexcept { return pace_; }
  void set_down(bool d);
  [[nodiscard]] bool asleep() const noexcept { return asleep_; }
  void set_asleep(bool a) noexcept { asleep_ = a; }
  void hold(packet p) { held_.push_back(std::move(p)); }  // no more than the windows of its connections
  void send_held();
  void drop_held() noexcept { held_.clear(); }
  void transmit(packet p);
  [[nodiscard]] delivery deliver(const packet& p);
  [[nodiscard]] bool listens_to_group(const packet& p) const { return udp_.has_member(p.destination); }
  void count(std::size_t& udp_sockets, std::size_t& tcp_streams, std::size_t& listeners) const;
  void reset_connections() { tcp_.reset_all(); }
  [[nodiscard]] std::uint16_t draw_port() { return static_cast<std::uint16_t>(32768 + random_below(28232)); }

 private:
  [[nodiscard]] bool behind_nat64() const noexcept;

  network& network_;
  std::size_t index_;
  std::string name_;
  generator generator_;
  std::vector<net::interface_address> addresses_;
  router* router_ = nullptr;  // nothing: the Internet itself
  bool down_ = false;
  bool asleep_ = false;
  std::vector<packet> held_;  // segments that wait for the end of the sleep, in order
  bool refuses_ = true;
  async::event changed_;  // pulsed: addresses_ or down_
  udp_stack udp_{*this};
  tcp_stack tcp_{*this};
  receive_pace pace_;
  local_names local_{pace_};
};

}  // namespace strata::sim
