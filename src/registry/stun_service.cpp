#include "registry/stun_service.hpp"

#include <utility>

#include "async/async.hpp"

namespace strata::registry {

stun_service::stun_service(net::host& h, stun_service_config c, trace::tracer t)
    : host_(h), config_(std::move(c)), tracer_(t), server_(h, {}, std::move(t)) {}

base::endpoint stun_service::endpoint() const {
  return discovery_ ? discovery_->at(stun::discovery_sockets::primary).local_endpoint() : socket_->local_endpoint();
}

std::string stun_service::start() {
  const auto cannot = [&](std::string_view what, const base::error& why) {
    return "cannot bind the STUN responder to " + config_.listen.to_string() + std::string(what) + ": " + why.message();
  };
  if (config_.alternate) {
    auto other = *config_.alternate;
    if (other.port == 0 && config_.listen.port != 0) other.port = static_cast<std::uint16_t>(config_.listen.port + 1);
    auto sockets = stun::discovery_sockets::bind(host_, config_.listen, other);
    if (!sockets) return cannot(" with the alternate " + other.to_string(), sockets.error());
    discovery_ = std::move(*sockets);
  } else {
    auto socket = host_.bind_udp(config_.listen);
    if (!socket) return cannot("", socket.error());
    socket_ = std::move(*socket);
  }
  // Where UDP does not get through, a client learns here that TCP does.
  auto listener = host_.listen_tcp(endpoint());
  if (listener) listener_ = std::move(*listener);
  // A UDP port that the system chose may be in use over TCP.
  else if (config_.listen.port != 0) return cannot(" over TCP", listener.error());
  return {};
}

async::task<base::error> stun_service::serve_udp() {
  co_return discovery_ ? co_await server_.serve_discovery(*discovery_) : co_await server_.serve_udp(*socket_);
}

async::task<base::error> stun_service::serve_tcp() { co_return co_await server_.serve_tcp(*listener_); }

async::task<> stun_service::run() {
  const auto note = [this](std::string_view transport, const base::error& why) {
    tracer_(host_.now(), trace::note{trace::layer::stun, transport, why.message()});
  };
  co_await async::with_scope(async::at_end::join, [&](async::scope& s) -> async::task<> {
    if (listener_) s.spawn("STUN over TCP", [&]() -> async::task<> { note("responder over TCP", co_await serve_tcp()); });
    note("responder", co_await serve_udp());
  });
}

}  // namespace strata::registry
