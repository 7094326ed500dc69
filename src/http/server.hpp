// An HTTP/1.1 server over any listener. Every limit is finite: nobody who has not proved anything can hold more than a
// connection's worth of memory, or one for longer than the timeouts say.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>

#include "async/async.hpp"
#include "http/head.hpp"
#include "http/message.hpp"
#include "http/stream_reader.hpp"
#include "http/websocket.hpp"
#include "http/websocket_handshake.hpp"
#include "net/host.hpp"
#include "trace/sink.hpp"

namespace strata::http {

struct server_options {
  head_limits head = {};
  body_limits body = {};
  base::duration head_time = std::chrono::seconds(5);     // from a head's first octet to its last, and for a first request
  base::duration idle_time = std::chrono::seconds(60);    // between requests of a kept connection
  base::duration write_grace = std::chrono::seconds(30);  // a response that is not taken at least_rate beyond that is given up
  base::duration drain_time = std::chrono::seconds(10);   // for what runs when drain() is called
  std::size_t max_connections = 1024;
  std::size_t max_connections_per_address = 64;
  std::size_t max_requests_per_connection = 10000;
  websocket_options websocket = {};
  bool secure = false;  // what wrap does is TLS
  // Turns an accepted stream into the one that HTTP is spoken on (TLS); has head_time for it.
  std::function<async::task<base::result<std::unique_ptr<net::stream>>>(std::unique_ptr<net::stream>)> wrap = {};
};

struct server_handlers {
  // Answers every request. For a WebSocket it returns what accept_websocket(r) gives, and the socket is on_websocket's.
  // The request lives until the task has ended. One runs at a time on a connection, many beside each other. An exception
  // is answered with 500.
  std::function<async::task<response>(const request&)> on_request = {};
  // Runs beside the socket's own run(); when it returns the socket is closed (1000), and when the server drains the
  // socket is closed with 1001, which receive() sees.
  std::function<async::task<>(const request&, websocket&)> on_websocket = {};
};

struct server_counters {
  std::uint64_t accepted = 0, refused = 0;  // connections; refused: one of the limits
  std::uint64_t requests = 0, websockets = 0;
  std::uint64_t bad_requests = 0;      // answered with an error by the server itself
  std::uint64_t handler_failures = 0;  // exceptions, answers that cannot be sent
};

class server {
 public:
  server(net::host& h, server_options o, server_handlers handlers, trace::tracer t = {});
  ~server();
  server(const server&) = delete;
  server& operator=(const server&) = delete;

  // Serves until drain(); several listeners may be run beside each other. Returns when every connection has ended.
  async::task<> run(std::unique_ptr<net::listener> l);
  // Stops accepting, lets running requests finish, closes idle connections at once and WebSockets with 1001; what is
  // left after drain_time is cut.
  void drain();

  [[nodiscard]] std::size_t connections() const noexcept { return connections_; }
  [[nodiscard]] const server_counters& counters() const noexcept { return counters_; }

 private:
  friend class server_connection;
  struct seat;
  [[nodiscard]] std::unique_ptr<seat> admit(const base::endpoint& remote);  // null: one of the limits
  void leave(const base::ip_address& holder);
  async::task<> serve(std::unique_ptr<net::stream> stream, std::unique_ptr<seat> held);

  net::host& host_;
  server_options options_;
  server_handlers handlers_;
  trace::tracer tracer_;
  std::size_t connections_ = 0;
  std::map<base::ip_address, std::size_t> per_address_;
  async::event draining_;  // set once
  async::event left_;      // pulse: a connection has ended
  server_counters counters_;
};

}  // namespace strata::http
