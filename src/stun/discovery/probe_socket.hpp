// A socket that asks the questions of a plan, and answers those of its neighbours, which come back from outside when the NAT
// hairpins (RFC 5780 §4.5).
#pragma once

#include <memory>

#include "async/task.hpp"
#include "net/host.hpp"
#include "stun/discovery/nat_plan.hpp"
#include "stun/transaction_table.hpp"

namespace strata::stun {

struct probe_options {
  // 0, 500, 1500 and 3500 ms; silence is a result here, and is worth no more than four seconds.
  retransmission schedule{std::chrono::milliseconds(500), 4, std::chrono::milliseconds(500), false};
  bool fingerprint = false;  // RFC 5780 §5: for sockets that carry other traffic
};

class probe_socket {
 public:
  static base::result<std::unique_ptr<probe_socket>> open(net::host& h, base::ip_family family, probe_options o);
  probe_socket(const probe_socket&) = delete;
  probe_socket& operator=(const probe_socket&) = delete;

  // Feeds ask(); until the socket fails.
  [[nodiscard]] async::task<> receive();
  [[nodiscard]] async::task<observation> ask(probe p);

 private:
  probe_socket(net::host& h, std::unique_ptr<net::udp_socket> socket, probe_options o);

  net::host& host_;
  std::unique_ptr<net::udp_socket> socket_;
  probe_options options_;
  transaction_table table_;
};

// The answer of a server in the words of an observation.
void take_answer(observation& into, const message_view& answer);

}  // namespace strata::stun
