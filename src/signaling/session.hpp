// A client's life with the registry: token, socket, register, and all over again when it breaks.
//
// The session never ends by itself. Peers that are linked do not need it; it comes back with a jittered pause, and
// the pause starts over once it has worked.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "async/async.hpp"
#include "base/json.hpp"
#include "http/message.hpp"
#include "http/websocket.hpp"
#include "net/host.hpp"
#include "signaling/message.hpp"
#include "trace/sink.hpp"

namespace strata::signaling {

enum class session_errc { key_refused = 1, unexpected_reply };
std::error_code make_error_code(session_errc e) noexcept;

struct session_config {
  std::string signaling_url;  // ws:// or wss://
  std::string token_url;      // http:// or https://
  std::string api_key;
  std::string device_token;                               // instead of a key, where this machine was paired
  base::json registration;                                // payload of the register message
  std::string trust_file;                                 // PEM of extra roots for https/wss; empty: the system's
  base::duration ping_every = std::chrono::seconds(20);   // under the idle time-outs of common proxies
  base::duration pong_within = std::chrono::seconds(10);  // a socket silent for longer is dead
  base::duration config_patience = std::chrono::seconds(5);
  base::duration least_pause = std::chrono::milliseconds(500), most_pause = std::chrono::seconds(30);
};

enum class session_state : std::uint8_t { idle, authenticating, connecting, registered, waiting };
std::string_view to_string(session_state s) noexcept;

struct session_counters {
  std::uint64_t connects = 0, failures = 0, sent = 0, received = 0, dropped_malformed = 0, dropped_while_away = 0;
};

class session {
 public:
  session(net::host& h, session_config c, trace::tracer t);

  async::task<> run();  // until cancelled

  // The next message from the registry. Messages of different connections are not told apart: a peer_list means that
  // the session is (again) registered.
  [[nodiscard]] auto receive() { return incoming_.receive(); }

  // False: there is no connection now, or its queue is full. peer_id is filled in.
  bool send(message m);

  // The machine's addresses have changed: a connection from one that is gone is given up, and a pause is cut short.
  void network_changed() { network_changed_.pulse(); }

  // An answer that ought to have come did not: if the registry does not answer a ping soon, the connection is given up.
  void doubt() { doubted_.pulse(); }

  [[nodiscard]] session_state state() const noexcept { return state_; }
  [[nodiscard]] bool registered() const noexcept { return state_ == session_state::registered; }
  [[nodiscard]] const std::string& peer_id() const noexcept { return peer_id_; }  // empty before the first token
  [[nodiscard]] const std::string& last_error() const noexcept { return last_error_; }
  [[nodiscard]] const session_counters& counters() const noexcept { return counters_; }
  // "stun:…"/"turn:…" servers the registry named; asked for with the token at every connect.
  [[nodiscard]] const base::json& ice_servers() const noexcept { return ice_servers_; }
  [[nodiscard]] async::task<> ice_servers_changed() { co_await ice_servers_changed_.wait(); }
  // One request to a route of the registry in this peer's name, with a JSON body or none. Any status is a reply.
  [[nodiscard]] async::task<base::result<http::response>> ask(std::string method, std::string path, std::string body = {});

  // Asks for them again, with a new token; credentials end. False: the registry did not answer.
  [[nodiscard]] async::task<bool> renew_ice_servers();

 private:
  async::task<> attempt();
  async::task<> until_overtaken();
  async::task<base::result<std::string>> exchange_token();
  async::task<base::result<void>> talk(std::string token);
  async::task<> send_all(http::websocket& socket);
  async::task<> receive_all(http::websocket& socket);
  async::task<bool> fetch_config(std::string token);
  async::task<> until_gone(base::ip_address local);
  async::task<> insist_on_config();
  async::task<> pass_doubt(http::websocket& socket);
  void set_state(session_state next, std::string_view reason);

  net::host& host_;
  session_config config_;
  trace::tracer tracer_;
  session_state state_ = session_state::idle;
  std::string peer_id_, last_error_;
  std::string token_;  // the latest
  base::instant token_since_{};
  base::json ice_servers_;
  bool config_answered_ = false;
  async::channel<message> incoming_;
  async::channel<std::string> outgoing_;
  session_counters counters_;
  async::event network_changed_, ice_servers_changed_, doubted_;  // pulsed
};

}  // namespace strata::signaling

template <>
struct std::is_error_code_enum<strata::signaling::session_errc> : std::true_type {};
