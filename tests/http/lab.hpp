// A server on one simulated host, clients on others, and raw octets for those who do not behave.
#pragma once

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <utility>

#include "async/async.hpp"
#include "http/client.hpp"
#include "http/server.hpp"
#include "sim/network.hpp"

namespace lab {

using namespace strata;
using namespace std::chrono_literals;

struct world {
  sim::network net{1};
  sim::host& a = net.add_host("client", {"192.0.2.1", "2001:db8::1"});
  sim::host& b = net.add_host("server", {"192.0.2.2", "2001:db8::2"});
  explicit world() { net.link(a, b, {.latency = 10ms}); }

  [[nodiscard]] base::endpoint address() const { return {b.address(), 80}; }
};

inline http::url url(std::string_view text) { return *http::url::parse(text); }

// What the handlers of most tests do.
inline async::task<http::response> echo(const http::request& r) {
  if (r.path == "/ws") co_return http::accept_websocket(r);
  if (r.path == "/throw") throw std::runtime_error("as asked");
  if (r.path == "/slow") co_await async::sleep_for(3s);
  auto answer = http::response::text(200, r.method + " " + r.path + " " + r.body);
  co_return answer;
}

inline async::task<> echo_messages(const http::request&, http::websocket& ws) {
  for (;;) {
    auto m = co_await ws.receive();
    if (!m) co_return;
    if (m->text) co_await ws.send_text(std::move(m->data));
    else co_await ws.send_binary(base::to_bytes(m->data));
  }
}

inline http::server_handlers echo_handlers() { return {.on_request = echo, .on_websocket = echo_messages}; }

// Runs the client beside the server; drains the server when the client has ended.
template <class Client>
void run(world& w, http::server& s, Client client) {
  w.net.run([](world& w, http::server& s, Client client) -> async::task<> {
    auto listener = w.b.listen_tcp(w.address());
    REQUIRE(listener);
    const auto then_drain = [](http::server& s, async::task<> t) -> async::task<> {
      co_await std::move(t);
      s.drain();
    };
    co_await async::all_of(s.run(std::move(*listener)), then_drain(s, client()));
  }(w, s, std::move(client)));
}

struct raw_client {
  std::unique_ptr<net::stream> stream;

  static async::task<raw_client> connect(world& w) {
    auto s = co_await w.a.connect_tcp(w.address());
    REQUIRE(s);
    raw_client c;
    c.stream = std::move(*s);
    co_return c;
  }
  async::task<> send(std::string text) { co_await stream->write(base::as_bytes(text)); }
  // Everything until the server has closed.
  async::task<std::string> rest() {
    std::string all;
    base::bytes piece(4096);
    for (;;) {
      const auto n = co_await stream->read(piece);
      if (!n || *n == 0) co_return all;
      all += base::as_text(base::byte_view(piece).first(*n));
    }
  }
  // Until the text so far contains what is wanted.
  async::task<std::string> until(std::string wanted) {
    std::string all;
    base::bytes piece(4096);
    while (all.find(wanted) == std::string::npos) {
      const auto n = co_await stream->read(piece);
      if (!n || *n == 0) co_return all;
      all += base::as_text(base::byte_view(piece).first(*n));
    }
    co_return all;
  }
};

inline int status_of(const std::string& response) {
  return response.starts_with("HTTP/1.1 ") && response.size() > 12 ? std::stoi(response.substr(9, 3)) : 0;
}

}  // namespace lab
