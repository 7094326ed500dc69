// A client and a server of a test's own making on two simulated hosts.
#pragma once

#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "async/async.hpp"
#include "sim/network.hpp"
#include "stun/attributes.hpp"
#include "stun/client.hpp"
#include "stun/message_writer.hpp"
#include "stun/registry.hpp"

namespace strata::test {

using namespace std::chrono_literals;

// Answers a request, or nothing.
using server_function = std::function<std::optional<base::bytes>(const stun::message_view&, const base::endpoint& from)>;

class exchange {
 public:
  sim::network net{7};
  sim::host& client_host = net.add_host("client", {"192.0.2.1", "2001:db8::1"});
  sim::host& server_host = net.add_host("server", {"192.0.2.2", "192.0.2.3", "2001:db8::2"});
  base::endpoint server{server_host.address(0), 3478};
  base::endpoint second_server{server_host.address(1), 3478};
  std::vector<base::bytes> requests;  // as the servers saw them
  std::vector<base::endpoint> asked;  // and which server it was
  std::vector<base::duration> arrivals;
  base::instant start = net.now();

  [[nodiscard]] stun::message_view request(std::size_t n) const { return *stun::message_view::parse(requests.at(n)); }

  // Runs `use` with a client while the server function answers on both server addresses.
  template <class F>
  auto run(server_function answer, stun::client_config config, std::unique_ptr<stun::session> credentials, F use) {
    answer_ = std::move(answer);
    start = net.now();
    return net.run(drive(std::move(config), std::move(credentials), std::move(use)));
  }
  base::result<stun::binding_result> binding(server_function answer, stun::client_config config = {},
                                             std::unique_ptr<stun::session> credentials = {}) {
    return run(std::move(answer), std::move(config), std::move(credentials),
               [this](stun::client& c) { return c.binding(server); });
  }

 private:
  template <class F>
  auto drive(stun::client_config config, std::unique_ptr<stun::session> credentials, F use)
      -> decltype(use(std::declval<stun::client&>())) {
    using answer_type = typename decltype(use(std::declval<stun::client&>()))::value_type;
    const auto socket = client_host.bind_udp({client_host.address(0), 0});
    const auto one = server_host.bind_udp(server), two = server_host.bind_udp(second_server);
    stun::client c(
        client_host, [&](const base::endpoint& to, base::byte_view d) { return (*socket)->send(to, d); }, std::move(config),
        std::move(credentials));
    co_return co_await async::with_scope(async::at_end::cancel, [&](async::scope& s) -> async::task<answer_type> {
      s.spawn("server", &exchange::serve, this, one->get());
      s.spawn("second server", &exchange::serve, this, two->get());
      s.spawn("client", &exchange::receive, socket->get(), &c);
      co_return co_await use(c);
    });
  }
  static async::task<> serve(exchange* self, net::udp_socket* socket) {
    for (;;) {
      const auto batch = co_await socket->receive();
      if (!batch) co_return;
      for (const auto& d : *batch) {
        self->requests.push_back(base::to_bytes(d.payload));
        self->asked.push_back(socket->local_endpoint());
        self->arrivals.push_back(self->net.now() - self->start);
        const auto m = stun::message_view::parse(d.payload);
        if (!m) continue;
        if (const auto answer = self->answer_(*m, d.peer)) socket->send(d.peer, *answer);
      }
    }
  }
  static async::task<> receive(net::udp_socket* socket, stun::client* c) {
    for (;;) {
      const auto batch = co_await socket->receive();
      if (!batch) co_return;
      for (const auto& d : *batch) c->on_datagram(d.payload, d.peer);
    }
  }

  server_function answer_;
};

// A response that `fill` completes.
inline base::bytes respond(const stun::message_view& request, stun::message_class c,
                           const std::function<void(stun::message_writer&)>& fill = {}) {
  base::bytes out;
  stun::message_writer w(out, {c, request.method()}, request.transaction_id());
  if (fill) fill(w);
  return out;
}

inline base::bytes refuse(const stun::message_view& request, int code,
                          const std::function<void(stun::message_writer&)>& fill = {}) {
  return respond(request, stun::message_class::error, [&](stun::message_writer& w) {
    w.add(stun::error_code{code, stun::reason_phrase(code)});
    if (fill) fill(w);
  });
}

inline base::bytes succeed(const stun::message_view& request, const base::endpoint& from,
                           const std::function<void(stun::message_writer&)>& fill = {}) {
  return respond(request, stun::message_class::success, [&](stun::message_writer& w) {
    w.add(stun::xor_mapped_address{from});
    if (fill) fill(w);
  });
}

}  // namespace strata::test
