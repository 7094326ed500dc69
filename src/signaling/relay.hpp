// Who is connected, who may talk to whom, and what each is told. Pure: it is given events and returns deliveries.
//
// Glare is settled by order: a peer becomes listable when its register has been processed, and registers are
// processed one at a time, so of any two peers exactly one sees the other in its peer_list and offers.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/strong.hpp"
#include "signaling/message.hpp"

namespace strata::signaling {

struct connection_tag;
using connection_id = base::strong<connection_tag, std::uint64_t>;

inline constexpr std::string_view registry_id = "registry";
inline constexpr std::uint16_t close_replaced = 4001;  // WebSocket close code: the same peer connected again

struct delivery {
  connection_id to;
  std::string text;  // a formatted message, in the receiver's dialect
};

struct relay_outcome {
  std::vector<delivery> deliveries;
  std::vector<connection_id> close_replaced;  // connections to end with that code
  std::string_view dropped;                   // static text: why the message went nowhere; empty when it was used
  std::string finished_task;                  // the client says so of one that was pushed to it
};

struct relay_counters {
  std::uint64_t registered = 0, relayed = 0;
  std::uint64_t dropped_malformed = 0, dropped_forged_sender = 0, dropped_undeliverable = 0, dropped_unregistered = 0;
};

class relay {
 public:
  // authorised(peer): may this peer be seen and reached now? Asked for every message.
  explicit relay(std::function<bool(std::string_view)> authorised) : authorised_(std::move(authorised)) {}

  // A socket authenticated as peer_id. An older socket of the same peer is replaced and told to close.
  relay_outcome connected(connection_id c, std::string peer_id);
  relay_outcome disconnected(connection_id c);
  relay_outcome received(connection_id c, std::string_view text);

  // Registered, and payload.caps of its register held "tasks": work for the peer may be pushed on this connection.
  [[nodiscard]] bool takes_tasks(connection_id c) const;

  [[nodiscard]] std::optional<connection_id> connection_of(std::string_view peer_id) const;
  [[nodiscard]] std::size_t connections() const noexcept { return by_connection_.size(); }
  [[nodiscard]] std::vector<std::string> registered_peers() const;
  // Connections of peers that are not authorised any more.
  [[nodiscard]] std::vector<connection_id> unauthorised() const;
  [[nodiscard]] const relay_counters& counters() const noexcept { return counters_; }

  // The alias that this peer's register claimed and that nobody else holds (contract: "<agent>-sidecar").
  [[nodiscard]] std::string_view alias_of(std::string_view peer_id) const;

 private:
  struct session {
    std::string peer_id;
    std::string alias;
    dialect names = dialect::plain;
    bool registered = false;
    bool wants_events = false;  // payload.caps of its register held "events"
    bool wants_tasks = false;   // and "tasks"
  };

  void on_register(connection_id c, session& s, const message& m, relay_outcome& out);
  void forward(session& from, message m, relay_outcome& out);
  void announce(const session& about, kind what, relay_outcome& out) const;
  void tell(relay_outcome& out, connection_id to, const session& s, message m) const;
  [[nodiscard]] bool alias_is_free(std::string_view alias, std::string_view claimant) const;

  std::function<bool(std::string_view)> authorised_;
  std::map<connection_id, session> by_connection_;
  std::map<std::string, connection_id, std::less<>> by_peer_;
  relay_counters counters_;
};

}  // namespace strata::signaling
