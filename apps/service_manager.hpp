// What a daemon tells the service manager that started it (sd_notify(3)): one datagram a message to the socket that
// NOTIFY_SOCKET names. Without such a socket nothing happens. The protocol is public and small; no library is needed for it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/time.hpp"

namespace strata::apps {

class service_manager {
 public:
  service_manager();  // reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID
  ~service_manager();
  service_manager(const service_manager&) = delete;
  service_manager& operator=(const service_manager&) = delete;

  void ready(std::string_view status) const;
  void reloading() const;  // ready() follows when it is done
  void stopping() const;
  void alive() const;
  // How long the manager waits for alive() before it takes the daemon for dead.
  [[nodiscard]] std::optional<base::duration> watchdog() const noexcept { return watchdog_; }

 private:
  void send(std::string_view message) const;

  int socket_ = -1;
  std::optional<base::duration> watchdog_;
};

}  // namespace strata::apps
