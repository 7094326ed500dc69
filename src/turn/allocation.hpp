// An allocation on a TURN server (RFC 8656): an address over there that packets can be exchanged at. For its user it is a UDP
// socket whose local endpoint is the relayed address; for the server it is kept alive by run().
//
//   auto relay = co_await turn::allocation::allocate(host, {.server = *turn::server_from_uri("turn:relay.example", name,
//   password)}); s.spawn("relay", [&] { return (*relay)->run(); });
//   (*relay)->send(peer, datagram);   auto batch = co_await (*relay)->receive();
//
// send() asks for the permission that it needs; what is sent before the answer waits for it. Peers that much is sent to get a
// channel. Everything is called on the host's loop. run() must have ended before the object goes.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "async/task.hpp"
#include "base/endpoint.hpp"
#include "base/result.hpp"
#include "net/host.hpp"
#include "trace/sink.hpp"
#include "turn/error.hpp"
#include "turn/server_info.hpp"

namespace strata::turn {

struct allocation_config {
  server_info server;
  std::vector<base::ip_family> families{base::ip_family::v4};  // §7.1: both, in one allocation, where the server has both
  bool dont_fragment = false;                                  // §7.1, §11.5: packets too large for the path are not cut
  base::duration lifetime = std::chrono::minutes(10);          // §3.2: what is asked for; the server decides
  base::duration rto = std::chrono::milliseconds(500);
  std::size_t inbox_bytes = 1u << 20;
};

struct allocation_counters {
  std::uint64_t sent_in_channels = 0, sent_in_indications = 0, received = 0;
  std::uint64_t refreshes = 0, permissions = 0, channel_binds = 0;  // requests that succeeded
  std::uint64_t held = 0;                                           // waited for a permission
  std::uint64_t dropped_unpermitted = 0, dropped_malformed = 0, dropped_inbox_full = 0, dropped_outbox_full = 0;
};

class allocation final : public net::udp_socket {
 public:
  struct state;  // allocation_state.hpp: its parts
  // Errors: stun::response_error(code) for what the server refused, turn::errc, what the network says. explain() has words.
  // Every address of the server's name is tried; §8 ALTERNATE-SERVER is followed a few times.
  [[nodiscard]] static async::task<base::result<std::unique_ptr<allocation>>> allocate(net::host& h, allocation_config c,
                                                                                       trace::tracer t = {});
  ~allocation() override;

  // Refreshes, permissions, channels, and what comes in. Ends when the allocation is lost; when it is cancelled, or after
  // release(), the server is told first (a Refresh with lifetime zero, §7).
  [[nodiscard]] async::task<base::error> run();
  void release();

  void permit(const base::ip_address& peer);             // in advance; send() does it, too
  [[nodiscard]] base::endpoint mapped() const noexcept;  // this machine, as the server sees it
  [[nodiscard]] base::endpoint server_endpoint() const noexcept;
  [[nodiscard]] std::optional<base::endpoint> relayed(base::ip_family f) const noexcept;
  [[nodiscard]] std::optional<int> partial_refusal() const noexcept;  // §7.3: why there is no address of the other family
  [[nodiscard]] base::duration lifetime() const noexcept;             // granted last
  [[nodiscard]] const allocation_counters& counts() const noexcept;

  // net::udp_socket
  [[nodiscard]] base::endpoint local_endpoint() const override;  // the relayed address; of two, the first that was asked for
  [[nodiscard]] async::task<net::result<std::span<const net::datagram>>> receive() override;  // errc::lost and such at the end
  bool send(const base::endpoint& to, base::byte_view payload) override;
  [[nodiscard]] std::size_t queued_bytes() const override;
  [[nodiscard]] const net::udp_counters& counters() const override;

 private:
  explicit allocation(std::unique_ptr<state> s);
  std::unique_ptr<state> state_;
};

}  // namespace strata::turn
