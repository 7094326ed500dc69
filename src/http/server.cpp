#include "http/server.hpp"

#include <algorithm>
#include <array>
#include <exception>

#include "http/server_connection.hpp"

namespace strata::http {
namespace {

async::task<> until(async::event& e) { co_await e.wait(); }

// Whoever has an IPv6 address has a /64 of them.
base::ip_address holder_of(const base::ip_address& a) {
  const auto plain = a.unmapped();
  if (plain.is_v4()) return plain;
  std::array<std::uint8_t, 16> octets{};
  std::copy_n(plain.octets().begin(), 8, octets.begin());
  return base::ip_address::v6(octets);
}

}  // namespace

// A place among the connections; given back however the connection ends.
struct server::seat {
  seat(server& s, base::ip_address a) : owner(s), address(a) {}
  seat(const seat&) = delete;
  seat& operator=(const seat&) = delete;
  ~seat() { owner.leave(address); }
  server& owner;
  base::ip_address address;
};

server::server(net::host& h, server_options o, server_handlers handlers, trace::tracer t)
    : host_(h), options_(std::move(o)), handlers_(std::move(handlers)), tracer_(std::move(t)) {}

server::~server() = default;

async::task<> server::run(std::unique_ptr<net::listener> l) {
  co_await async::with_scope(async::at_end::cancel, [this, &l](async::scope& s) -> async::task<> {
    while (!draining_.is_set()) {
      auto [accepted, drained] = co_await async::first_of(l->accept(), until(draining_));
      if (!accepted) break;
      if (!*accepted) {
        if (accepted->error() == base::errc::closed) break;
        // Out of descriptors, or a connection that died in the queue: neither is the end of the server.
        tracer_(host_.now(), trace::note{trace::layer::http, "accept", accepted->error().message()});
        co_await async::first_of(until(draining_), async::detail::nap(std::chrono::milliseconds(100)));
        continue;
      }
      auto place = admit((**accepted)->remote_endpoint());
      if (!place) continue;
      s.spawn(
          "http connection",
          [this](std::unique_ptr<net::stream> stream, std::unique_ptr<seat> held) {
            return serve(std::move(stream), std::move(held));
          },
          std::move(**accepted), std::move(place));
    }
    l.reset();
    const auto empty = [this]() -> async::task<> {
      while (connections_ != 0) co_await left_.wait();
    };
    if (draining_.is_set()) co_await async::with_timeout(options_.drain_time, empty());
    else co_await empty();
  });
}

void server::drain() { draining_.set(); }

std::unique_ptr<server::seat> server::admit(const base::endpoint& remote) {
  const auto holder = holder_of(remote.address);
  // A proxy or a test on this machine is many clients behind one address.
  const bool counted = !remote.address.is_loopback() && !remote.address.is_unspecified();
  std::string_view why;
  if (connections_ >= options_.max_connections) why = "too many connections";
  else if (counted && per_address_[holder] >= options_.max_connections_per_address)
    why = "too many connections from one address";
  if (!why.empty()) {
    ++counters_.refused;
    tracer_(host_.now(), trace::drop{trace::layer::http, why, remote, 0});
    return nullptr;
  }
  ++counters_.accepted;
  ++connections_;
  ++per_address_[holder];
  return std::make_unique<seat>(*this, holder);
}

void server::leave(const base::ip_address& holder) {
  --connections_;
  if (const auto found = per_address_.find(holder); found != per_address_.end() && --found->second == 0)
    per_address_.erase(found);
  left_.pulse();
}

async::task<> server::serve(std::unique_ptr<net::stream> stream, std::unique_ptr<seat> held) {
  try {
    server_connection connection(*this, std::move(stream));
    co_await connection.run();
  } catch (const std::exception& e) {
    // One connection's trouble is not that of the others.
    ++counters_.handler_failures;
    tracer_(host_.now(), trace::note{trace::layer::http, "connection failed", e.what()});
  }
}

}  // namespace strata::http
