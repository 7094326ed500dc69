// What ICE asks of a relay (RFC 8445 §5.1.1.2): a socket on the relayed address, and somebody who keeps it alive. Outside
// tests it is a TURN allocation, but nothing here knows that: ICE and TURN are neighbours and do not look into each other.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "async/scope.hpp"
#include "async/task.hpp"
#include "base/endpoint.hpp"
#include "base/ip_address.hpp"
#include "base/result.hpp"
#include "net/host.hpp"

namespace strata::ice {

class relay {
 public:
  virtual ~relay() = default;  // gives the relayed address back
  // Its local endpoint is the relayed address; an error of receive() means that the relay is lost.
  [[nodiscard]] virtual net::udp_socket& socket() = 0;
  [[nodiscard]] virtual base::endpoint mapped() const = 0;  // this machine as the relay sees it: the related address
  [[nodiscard]] virtual base::endpoint server() const = 0;
  virtual void permit(const base::ip_address& peer) = 0;  // packets from there will be wanted
  [[nodiscard]] virtual async::task<> run() = 0;          // keeps it, until it is lost or this is cancelled
};

// Where a relay can be had. Asked once for each agent.
struct relay_source {
  std::string name;  // for traces: "turn:relay.example:3478?transport=udp"
  // background: where what is left to do after the answer goes on, until the agent ends.
  std::function<async::task<base::result<std::unique_ptr<relay>>>(async::scope& background)> allocate;
};

}  // namespace strata::ice
