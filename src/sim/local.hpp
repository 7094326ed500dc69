// Local (Unix-domain) streams of one simulated host: a pair of bounded pipes without latency, and the names
// under which listeners are found.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "net/host.hpp"
#include "sim/receive_pace.hpp"

namespace strata::sim {

class local_listener;

class local_names {
 public:
  explicit local_names(receive_pace& p) noexcept : pace_(p) {}
  ~local_names();
  local_names(const local_names&) = delete;
  local_names& operator=(const local_names&) = delete;

  [[nodiscard]] net::result<std::unique_ptr<net::stream>> connect(const std::string& path);
  [[nodiscard]] net::result<std::unique_ptr<net::listener>> listen(const std::string& path);

  [[nodiscard]] std::size_t listeners() const noexcept { return listeners_.size(); }

 private:
  friend class local_listener;
  receive_pace& pace_;
  std::map<std::string, local_listener*> listeners_;
};

}  // namespace strata::sim
