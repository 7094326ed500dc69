// The TCP side of a simulated host: connections by their two endpoints, and listeners.
#pragma once

#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "net/host.hpp"
#include "sim/packet.hpp"

namespace strata::sim {

class host;
class tcp_stream;
class tcp_listener;

class tcp_stack {
 public:
  explicit tcp_stack(host& h) noexcept : host_(h) {}
  ~tcp_stack();
  tcp_stack(const tcp_stack&) = delete;
  tcp_stack& operator=(const tcp_stack&) = delete;

  [[nodiscard]] async::task<net::result<std::unique_ptr<net::stream>>> connect(base::endpoint remote, net::tcp_options o);
  [[nodiscard]] net::result<std::unique_ptr<net::listener>> listen(base::endpoint local);
  [[nodiscard]] bool deliver(const packet& p);
  [[nodiscard]] std::size_t streams() const noexcept { return streams_.size(); }
  [[nodiscard]] std::size_t listeners() const noexcept { return listeners_.size(); }
  void reset_all();  // the machine goes down

 private:
  friend class tcp_stream;
  friend class tcp_listener;
  using key = std::pair<base::endpoint, base::endpoint>;  // local, remote

  [[nodiscard]] tcp_listener* listener_for(const base::endpoint& local) const;
  [[nodiscard]] std::uint16_t free_port(base::endpoint local, const base::endpoint& remote);
  void send_reset(const packet& answered, base::errc reason);

  host& host_;
  std::map<key, tcp_stream*> streams_;
  std::vector<tcp_listener*> listeners_;
};

}  // namespace strata::sim
