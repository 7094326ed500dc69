// A registry that may lie. Honest until it is told otherwise: it can change what it relays, and it can split those who are
// connected into rooms that do not see each other, so that helpers of its own stand in between.
#pragma once

#include <doctest/doctest.h>

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "http/server.hpp"
#include "signaling/relay.hpp"
#include "sim/network.hpp"

namespace strata::mesh::testing {

class sly_registry {
 public:
  explicit sly_registry(sim::host& h)
      : host_(h),
        server_(h, {},
                {.on_request = [this](const http::request& r) { return answer(r); },
                 .on_websocket = [this](const http::request& r, http::websocket& ws) { return serve(r, ws); }}) {}

  async::task<> run() {
    auto l = host_.listen_tcp({host_.address(), 8080});
    REQUIRE(l);
    co_await server_.run(std::move(*l));
  }

  // Sees every offer and answer before it is relayed, and may change it.
  std::function<void(signaling::message&)> change;

 private:
  // A key is "ak_for_<peer>" or "ak_for_<peer>@<room>"; the token is what stands behind "ak_for_".
  static constexpr std::string_view prefix = "ak_for_";
  static std::string peer_of(std::string_view token) { return std::string(token.substr(0, token.find('@'))); }
  static std::string room_of(std::string_view token) {
    const auto at = token.find('@');
    return at == std::string_view::npos ? std::string() : std::string(token.substr(at + 1));
  }

  async::task<http::response> answer(const http::request& r) {
    if (r.path == "/ws") co_return http::accept_websocket(r);
    http::response out;
    out.status = 404;
    const auto key = r.headers.get("X-API-Key");
    if (r.path == "/api/token" && key.starts_with(prefix)) {
      const auto token = key.substr(prefix.size());
      out.status = 200;
      out.headers.set("Content-Type", "application/json");
      out.body = base::json::make({{"token", token}, {"peer_id", peer_of(token)}, {"role", "agent"}}).dump();
    }
    co_return out;
  }

  struct room {
    // Every id is known here; what ends like an alias is none.
    signaling::relay relay{[](std::string_view peer) { return !peer.ends_with("-sidecar"); }};
  };

  async::task<> serve(const http::request& r, http::websocket& ws) {
    const std::string token(r.query("token").value_or(std::string()));
    auto& in = rooms_[room_of(token)];
    const signaling::connection_id id(next_++);
    struct connected {
      sly_registry& self;
      room& in;
      signaling::connection_id id;
      ~connected() {
        self.sockets_.erase(id);
        self.deliver(in.relay.disconnected(id));
      }
    } const entry{*this, in, id};
    sockets_.emplace(id, &ws);
    deliver(in.relay.connected(id, peer_of(token)));
    while (auto text = co_await ws.receive()) {
      if (auto m = signaling::parse(text->data);
          m && change && (m->what == signaling::kind::offer || m->what == signaling::kind::answer)) {
        change(*m);
        text->data = signaling::format(*m);
      }
      deliver(in.relay.received(id, text->data));
    }
  }

  void deliver(const signaling::relay_outcome& out) {
    for (const auto c : out.close_replaced)
      if (const auto at = sockets_.find(c); at != sockets_.end())
        at->second->start_close(signaling::close_replaced, "replaced");
    for (const auto& d : out.deliveries)
      if (const auto at = sockets_.find(d.to); at != sockets_.end()) (void)at->second->try_send_text(d.text);
  }

  sim::host& host_;
  http::server server_;
  std::map<std::string, room> rooms_;
  std::map<signaling::connection_id, http::websocket*> sockets_;
  std::uint64_t next_ = 1;
};

}  // namespace strata::mesh::testing
