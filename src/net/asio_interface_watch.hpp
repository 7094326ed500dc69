// Waits for changes of this machine's interfaces and addresses (rtnetlink, RFC 3549 §2.3.3).
#pragma once

#include <vector>

#include "async/event.hpp"
#include "net/asio_private.hpp"

namespace strata::net::detail {

class interface_watch {
 public:
  explicit interface_watch(asio_loop& loop) noexcept : loop_(loop) {}
  // Returns when read_interfaces() differs from what it said when this was awaited.
  [[nodiscard]] async::task<> changed();

 private:
  void open();
  void listen();
  bool drain();

  asio_loop& loop_;
  bool opened_ = false, listening_ = false;
  std::optional<descriptor> netlink_;  // nothing: the kernel gives none, and we look from time to time
  async::event notified_;              // pulsed
};

}  // namespace strata::net::detail
