// Asks the gateway for outside ports and keeps them (RFC 6887, RFC 6886, UPnP IGD). One mapper serves any number of sockets.
//
//   portmap::mapper m(host);
//   s.spawn("port mappings", [&m] { return m.run(); });       // renews, asks again after the gateway has restarted
//   auto outside = co_await m.map(socket.local_endpoint());    // within a second: the first protocol to answer
//   ...
//   co_await m.release();                                      // deletes what is left
//
// All of it is an extra: nothing may wait for it that could go on without.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "async/event.hpp"
#include "async/task.hpp"
#include "base/result.hpp"
#include "net/host.hpp"
#include "portmap/mapping.hpp"
#include "trace/sink.hpp"

namespace strata::portmap {

class client;

struct mapper_config {
  bool pcp = true, nat_pmp = true, upnp = true;
  base::duration patience = std::chrono::seconds(1);       // of one map()
  base::duration lifetime = std::chrono::hours(2);         // to ask for: RFC 6886 §3.3 recommends 7200 s
  base::duration release_limit = std::chrono::seconds(1);  // for the deletions, all together
  std::size_t max_mappings = 64;
  std::vector<base::ip_address> gateways{};  // empty: those of the host's default routes
};

class mapper {
 public:
  explicit mapper(net::host& h, mapper_config c = {}, trace::tracer t = {});
  ~mapper();
  mapper(const mapper&) = delete;
  mapper& operator=(const mapper&) = delete;

  // An outside port for a UDP socket bound to `inside` (a concrete IPv4 address). A mapping that exists is given again.
  // Errors: portmap::errc, base::errc::timed_out.
  [[nodiscard]] async::task<base::result<mapping>> map(base::endpoint inside);
  // Renewal at half of the lifetime, a new request when the gateway has lost its state. Until cancelled.
  [[nodiscard]] async::task<> run();
  // Deletes one mapping, or all: best effort, within release_limit.
  [[nodiscard]] async::task<> unmap(base::endpoint inside);
  [[nodiscard]] async::task<> release();

  // Called when a kept mapping has got another outside address or is lost (no value).
  std::function<void(const base::endpoint& inside, const std::optional<mapping>& now)> on_change{};
  [[nodiscard]] std::vector<mapping> mappings() const;
  // What the gateway says its outside address is, asked over whatever answers; it need not give ports away for that.
  [[nodiscard]] async::task<base::result<base::ip_address>> outside_address(base::ip_address inside);

 private:
  struct kept;
  struct gate;  // a gateway and the protocols to speak to it
  struct won;
  [[nodiscard]] gate* gate_for(const base::ip_address& inside);
  [[nodiscard]] async::task<base::result<won>> race(gate& g, base::endpoint inside, base::endpoint suggested);
  [[nodiscard]] async::task<> renew(std::shared_ptr<kept> k);
  void take(kept& k, won w);
  void note(std::string_view what, const base::endpoint& inside, std::string_view text);
  net::host& host_;
  mapper_config config_;
  trace::tracer tracer_;
  std::vector<std::unique_ptr<gate>> gates_;
  std::vector<std::shared_ptr<kept>> kept_;
  async::event work_;
};

}  // namespace strata::portmap
