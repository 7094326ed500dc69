// One request to a URL, and a WebSocket to a URL.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "async/async.hpp"
#include "http/head.hpp"
#include "http/message.hpp"
#include "http/stream_reader.hpp"
#include "http/url.hpp"
#include "http/websocket.hpp"
#include "net/host.hpp"
#include "trace/sink.hpp"

namespace strata::http {

// Turns a connected stream into a TLS one whose certificate was checked against the name.
using tls_connector = std::function<async::task<base::result<std::unique_ptr<net::stream>>>(std::unique_ptr<net::stream>,
                                                                                            std::string server_name)>;

struct outgoing_request {
  std::string method = "GET";
  http::url url = {};
  fields headers = {};  // Host, Content-Length and Connection are filled in
  std::string body = {};
};

struct fetch_options {
  base::duration timeout = std::chrono::seconds(30);  // for all of it
  head_limits head = {};
  body_limits body = {};
  tls_connector tls = {};  // needed for https and wss: errc::no_tls without
};

// Sends one request on a connection of its own and reads the whole response. Redirects are not followed.
// Errors: http::errc, base::errc from the host (refused, not_found for a name, timed_out), or what tls says.
[[nodiscard]] async::task<base::result<response>> fetch(net::host& h, outgoing_request r, fetch_options o = {});

// A stream to the URL's host: all its addresses, the next one a quarter of a second after the last or when that has
// failed, families in turn (RFC 8305); the first to connect wins. With TLS when the scheme says so.
[[nodiscard]] async::task<base::result<std::unique_ptr<net::stream>>> connect(net::host& h, url u, tls_connector tls);

struct websocket_connect_options {
  base::duration timeout = std::chrono::seconds(15);  // until the handshake is done
  head_limits head = {};
  websocket_options socket = {};
  std::vector<std::string> subprotocols = {};
  fields headers = {};
  tls_connector tls = {};
};

// The socket's run() is for the caller to run. Errors: those of fetch(), upgrade_* and bad_handshake.
[[nodiscard]] async::task<base::result<std::unique_ptr<websocket>>> websocket_connect(net::host& h, url u,
                                                                                      websocket_connect_options o = {},
                                                                                      trace::tracer t = {});

}  // namespace strata::http
