// The UDP side of a simulated host: which socket owns which port, who is a member of which group.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "net/host.hpp"
#include "sim/packet.hpp"

namespace strata::sim {

class host;
class udp_socket;

class udp_stack : private async::ready_item {
 public:
  explicit udp_stack(host& h) noexcept : host_(h) {}
  ~udp_stack();
  udp_stack(const udp_stack&) = delete;
  udp_stack& operator=(const udp_stack&) = delete;

  [[nodiscard]] net::result<std::unique_ptr<net::udp_socket>> bind(base::endpoint local, const net::udp_options& o);
  [[nodiscard]] delivery deliver(const packet& p);
  [[nodiscard]] std::size_t sockets() const noexcept { return sockets_.size(); }
  [[nodiscard]] bool has_member(const base::endpoint& group) const;

 private:
  friend class udp_socket;
  void run() override;  // the end of the loop's turn: what the sockets have collected leaves
  void flush_later();
  [[nodiscard]] bool in_use(const base::endpoint& local, bool reuse) const;

  host& host_;
  bool flush_posted_ = false;
  std::vector<udp_socket*> sockets_;  // in the order they were bound
};

}  // namespace strata::sim
