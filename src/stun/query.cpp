#include "stun/query.hpp"

#include <utility>

#include "async/scope.hpp"
#include "async/sleep.hpp"
#include "stun/stream_link.hpp"

namespace strata::stun {
namespace {

async::task<> feed(net::udp_socket& socket, client& c) {
  for (;;) {
    const auto batch = co_await socket.receive();
    if (!batch) {
      c.on_connection_lost(batch.error());
      co_return;
    }
    for (const auto& d : *batch) c.on_datagram(d.payload, d.peer);
  }
}

// For as long as it lives the client hears what the network says of the socket's datagrams.
class listen_to_the_network {
 public:
  listen_to_the_network(net::udp_socket& socket, client& c)
      : socket_(socket), before_(std::exchange(socket.on_unreachable, [&c](const base::endpoint& peer, base::errc why) {
          c.on_unreachable(peer, why);
        })) {}
  ~listen_to_the_network() { socket_.on_unreachable = std::move(before_); }
  listen_to_the_network(const listen_to_the_network&) = delete;
  listen_to_the_network& operator=(const listen_to_the_network&) = delete;

 private:
  net::udp_socket& socket_;
  std::function<void(const base::endpoint&, base::errc)> before_;
};

async::task<> run_link(stream_link& link, client& c) {
  const auto why = co_await link.run();
  c.on_connection_lost(why);
}

}  // namespace

async::task<base::result<binding_result>> query_binding(net::host& h, net::udp_socket& socket, base::endpoint server,
                                                        client_config config) {
  config.reliable = false;
  client c(h, [&](const base::endpoint& to, base::byte_view d) { return socket.send(to, d); }, std::move(config));
  const listen_to_the_network listening(socket, c);
  co_return co_await async::with_scope(async::at_end::cancel,
                                       [&](async::scope& s) -> async::task<base::result<binding_result>> {
                                         s.spawn("STUN answers", feed, std::ref(socket), std::ref(c));
                                         co_return co_await c.binding(server);
                                       });
}

async::task<base::result<binding_result>> query_binding(net::host& h, base::endpoint server, client_config config) {
  const auto socket = h.bind_udp({base::ip_address::any(server.address.family()), 0});
  if (!socket) co_return base::fail(socket.error());
  co_return co_await query_binding(h, **socket, server, std::move(config));
}

// exception: 8489-6.2.2-e a query needs its connection for one answer; TURN keeps its own (stream_link)
// exception: 8489-6.2.2-f every query opens a new connection
async::task<base::result<binding_result>> query_binding_tcp(net::host& h, base::endpoint server, client_config config) {
  config.reliable = true;
  auto stream = co_await async::with_timeout(config.ti, h.connect_tcp(server));
  if (!stream) co_return base::fail(stream.error());
  stream_link* outgoing = nullptr;
  client c(h, [&](const base::endpoint&, base::byte_view d) { return outgoing->send(d); }, std::move(config));
  stream_link link(std::move(*stream), [&](const frame& f) {
    if (!f.is_channel_data) c.on_datagram(f.bytes, server);
  });
  outgoing = &link;
  co_return co_await async::with_scope(async::at_end::cancel,
                                       [&](async::scope& s) -> async::task<base::result<binding_result>> {
                                         s.spawn("STUN connection", run_link, std::ref(link), std::ref(c));
                                         co_return co_await c.binding(server);
                                       });
}

async::task<base::result<binding_result>> query_binding(net::host& h, server_uri server, client_config config) {
  if (server.secure) co_return base::fail(base::errc::unsupported);
  const auto addresses = co_await h.resolve(server.host);
  if (!addresses) co_return base::fail(addresses.error());
  base::error last(base::errc::not_found);
  for (const auto& address : *addresses) {
    const base::endpoint to{address, server.port};
    auto r = server.transport == server_uri::transport_kind::tcp ? co_await query_binding_tcp(h, to, config)
                                                                 : co_await query_binding(h, to, config);
    if (r) co_return r;
    last = r.error();
  }
  co_return base::fail(last);
}

}  // namespace strata::stun
