// What a registryd is: the routes, the signaling socket, the STUN responder, and the state behind them.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "async/async.hpp"
#include "http/server.hpp"
#include "net/host.hpp"
#include "net/tls_stream.hpp"
#include "registry/agents.hpp"
#include "registry/cors.hpp"
#include "registry/credentials.hpp"
#include "registry/jwt.hpp"
#include "registry/keys.hpp"
#include "registry/pairing_service.hpp"
#include "registry/revocations.hpp"
#include "registry/stun_service.hpp"
#include "registry/task_service.hpp"
#include "registry/turn_service.hpp"
#include "registry/watched_store.hpp"
#include "signaling/relay.hpp"
#include "store/schema.hpp"
#include "trace/sink.hpp"

namespace strata::registry {

struct service_config {
  std::vector<base::endpoint> listen;  // HTTP and WebSocket; one of each family where there are both
  std::optional<base::endpoint> stun;
  std::optional<base::endpoint> stun_alternate;  // port 0: the one after that of stun
  std::string keys_file;
  std::string state_directory;
  std::string token_secret;              // empty: kept in the state directory, made there on first start
  std::vector<std::string> public_stun;  // "host:port"
  std::vector<std::string> turn_urls;    // one server, several ways to it (UDP, TCP, TLS)
  std::string turn_secret;               // empty counts as not set; with `turn` it is made and kept
  std::optional<turn_service_config> turn;
  std::string tls_certificate, tls_key;  // PEM files
  std::string ports_file;
  pairing_config pairing;
  std::vector<std::string> cors_origins;            // of web pages that may use the API; as cors::check takes them
  base::duration drain = std::chrono::seconds(20);  // from stop() to the end of run(), at most
  base::duration drain_delay{};                     // of it: not ready, but still serving whoever comes
  bool dev = false;
};

struct service_counters {
  std::uint64_t requests = 0, tokens_issued = 0, tokens_refused = 0, unauthorised = 0, bad_bodies = 0, sockets_opened = 0,
                sockets_slow = 0;
  std::array<std::uint64_t, 6> answers{};  // by the first digit of the status
};

class service {
 public:
  service(net::host& h, service_config c, trace::tracer t);
  [[nodiscard]] static store::schema schema();  // of registry.db in the state directory
  ~service();

  // Reads keys and secrets and binds the sockets. The text says what is wrong; empty when nothing is.
  [[nodiscard]] std::string start();
  async::task<> run();          // until stop() and the drain after it
  void stop() { stop_.set(); }  // no connection that has begun is cut before the time of the drain is over
  // Reads the API keys and the certificate again. What is wrong with them, or nothing; then all that was in use stays so.
  [[nodiscard]] std::string reload();

  [[nodiscard]] const std::vector<base::endpoint>& http_endpoints() const noexcept { return bound_; }  // after start()

 private:
  async::task<http::response> handle(const http::request& r);
  async::task<http::response> dispatch(const http::request& r);
  http::response answer(const http::request& r);
  async::task<http::response> readiness();
  static http::response description();
  async::task<> drain();
  std::string reload_keys();
  async::task<http::response> handle_tasks(const http::request& r);
  http::response upgrade(const http::request& r);
  async::task<> serve_socket(const http::request& r, http::websocket& ws);
  async::task<> listen_to(signaling::connection_id id, std::string peer, http::websocket& ws, async::event& takes_tasks);
  async::task<> push_tasks(std::string peer, http::websocket& ws, async::event& takes_tasks);
  http::response issue_token(const http::request& r);
  http::response ice_config(const http::request& r) const;
  http::response register_agent(const http::request& r);
  async::task<http::response> heartbeat(const http::request& r);
  http::response list_agents(const http::request& r);
  http::response show_agent(const http::request& r, std::string_view id);
  http::response route(const http::request& r);
  http::response remove_agent(const http::request& r, std::string_view id);
  http::response metrics() const;
  http::response change(const http::request& r,
                        base::result<void> (agents::*what)(const base::json&, std::string_view, base::wall_time),
                        base::json answer);
  void deliver(const signaling::relay_outcome& out);
  std::optional<identity> authenticate(const http::request& r) const;
  std::optional<identity> authenticate_socket(const http::request& r) const;
  std::optional<identity> authenticate_token(std::string_view token) const;
  bool may_read(const http::request& r);
  [[nodiscard]] bool is_member(std::string_view peer) const;
  void cut_off(std::string_view peer);
  std::string open_store();
  std::string read_keys();
  std::string start_turn(std::shared_ptr<const net::tls_server_identity> identity);

  net::host& host_;
  service_config config_;
  trace::tracer tracer_;
  cors cors_;
  keys keys_;
  token_keys tokens_;
  revocations revocations_;
  agents agents_;
  std::unique_ptr<watched_store> store_;
  std::unique_ptr<task_service> tasks_;
  std::unique_ptr<pairing_service> pairing_;
  signaling::relay relay_;
  std::map<signaling::connection_id, http::websocket*> sockets_;
  std::uint64_t next_connection_ = 1;
  std::vector<std::unique_ptr<net::listener>> listeners_;
  std::vector<base::endpoint> bound_;
  std::unique_ptr<stun_service> stun_;
  std::unique_ptr<turn_service> turn_;
  std::unique_ptr<http::server> server_;
  service_counters counters_;
  std::shared_ptr<const net::tls_server_identity> identity_;
  async::event stop_;   // not ready any more
  async::event going_;  // nobody new is let in
};

}  // namespace strata::registry
