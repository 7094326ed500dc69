// What a meshd is: the local socket, the session with the registry, and a link for every peer.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "async/async.hpp"
#include "ice/shared_port.hpp"
#include "mesh/conversation.hpp"
#include "mesh/ice_servers.hpp"
#include "mesh/ipc_server.hpp"
#include "mesh/link.hpp"
#include "mesh/peer_rules.hpp"
#include "mesh/response_filter.hpp"
#include "net/host.hpp"
#include "portmap/mapper.hpp"
#include "signaling/session.hpp"
#include "store/schema.hpp"
#include "store/store.hpp"
#include "trace/sink.hpp"

namespace strata::mesh {

struct node_config {
  signaling::session_config signaling;
  std::string ipc_path;
  std::string agent_id;                   // of the local program; its peers know it as "<agent_id>-sidecar"
  std::vector<std::string> stun_servers;  // "host:port"; empty: those the registry names
  bool no_stun = false;
  bool allow_loopback = false;  // development: candidates on the loopback interface
  ice::interface_list interfaces{};
  ice::candidate_policy policy = ice::candidate_policy::all;
  ice::tcp_policy tcp = ice::tcp_policy::none;
  std::optional<std::uint16_t> udp_port{};        // one port for all peers; 0: any; nothing: a port for each
  std::optional<crypto::signing_key> identity{};  // without one nothing is signed
  store::engine* store = nullptr;                 // outlives the node; without one keys are remembered for one run
  peer_rules rules{};
  bool plain = false;         // speak upstream's protocol only
  bool port_mapping = false;  // ask the gateway to forward the port: PCP, NAT-PMP, UPnP
};

struct node_counters {
  std::uint64_t send_failed = 0, oversized = 0, stray_responses = 0, refused_by_rules = 0, not_stored = 0, bad_letters = 0;
};

class node {
 public:
  static constexpr std::size_t most_conversations = 4096;
  static constexpr std::size_t most_incoming = 256u << 20;  // octets of messages from all peers that no program has yet

  node(net::host& h, node_config c, trace::sink* sink);

  [[nodiscard]] static store::schema schema();  // of node_config::store

  [[nodiscard]] store::told<void> recall();  // what the store holds; before run()
  base::result<void> listen();               // the local socket; before run()
  async::task<> run();                       // until stop()
  void stop() { stop_.set(); }               // links are closed in order, then run() ends

  [[nodiscard]] base::json status() const;
  [[nodiscard]] base::json link_status(std::string_view peer) const;  // null: none
  [[nodiscard]] const auto& conversations() const noexcept { return conversations_; }

 private:
  async::task<> serve();
  async::task<> hang_up();
  async::task<> watch_network();
  async::task<> handle_signals();
  async::task<> handle(ipc_session& s, command c);
  async::task<> send(ipc_session& s, command c);
  async::task<> broadcast(ipc_session& s, command c);
  async::task<> ping(ipc_session& s, command c);
  // node_delivery.cpp
  async::task<> deliver(std::string peer, message m);
  async::task<handed_over> hand_over(std::string peer, message m);
  async::task<handed_over> take_delivery(std::string peer, delivery d);
  async::task<> answer(std::string peer, message m);
  void take_letter(const base::json& task);
  async::task<bool> mail(std::string peer, std::vector<base::bytes> frames);
  [[nodiscard]] bool speaks_frames(std::string_view peer) const;
  conversation& conversation_with(std::string_view peer);
  async::task<> converse(ipc_session& s, command c, std::string peer);
  void look_again(std::string_view peer);
  void tell_outcome(std::string_view peer, const outcome& o);
  store::told<void> recall_conversations();
  async::task<> speak_of_trust(ipc_session& s, command c);
  void keep(store::changes c);
  async::task<> commit(store::changes c);
  void tell_refused(std::string_view peer, std::string_view why);
  void refuse(ipc_session* s, const command& c, std::string_view why);
  void greet(ipc_session& s);
  void tell_status(ipc_session& s);
  link& link_to(const std::string& peer);
  [[nodiscard]] link* find(std::string_view name) const;
  [[nodiscard]] std::vector<std::string> open_peers() const;
  async::task<> follow_servers();
  async::task<> renew_credentials();
  async::task<base::result<base::endpoint>> map_port(base::endpoint inside);
  async::task<> resolve_stun_servers();

  net::host& host_;
  node_config config_;
  trace::tracer tracer_;
  signaling::session session_;
  ipc_server ipc_;
  trust known_;
  link_environment environment_;
  std::map<std::string, std::unique_ptr<link>, std::less<>> links_;
  budget incoming_{most_incoming};
  conversation_environment conversing_;
  std::map<std::string, std::unique_ptr<conversation>, std::less<>> conversations_;
  std::set<std::string, std::less<>> present_;  // at the registry
  struct promise {
    command what;  // without the payload
    std::string peer;
  };
  std::map<message_id, promise> promises_;  // messages whose outcome a program is told
  async::scope* scope_ = nullptr;           // of serve(), while it runs
  std::unique_ptr<ice::shared_ports> ports_;
  std::unique_ptr<portmap::mapper> mapper_;
  ice_servers servers_;
  std::vector<base::endpoint> stun_servers_;  // resolved
  async::event servers_known_, servers_renewed_;
  response_filter responses_;
  node_counters counters_;
  async::event stop_;
};

}  // namespace strata::mesh
