#include "portmap/exchange.hpp"

#include <utility>

#include "async/async.hpp"

namespace strata::portmap {
namespace {

async::task<base::result<base::bytes>> listen(net::udp_socket& socket, base::endpoint gateway, accept_function& accept) {
  for (;;) {
    const auto batch = co_await socket.receive();
    if (!batch) co_return base::fail(batch.error());
    for (const auto& d : *batch)
      if (d.peer == gateway && accept(d.payload)) co_return base::to_bytes(d.payload);
  }
}

async::task<> transmit(net::udp_socket& socket, base::endpoint gateway, const base::bytes& request, wait_function& wait) {
  for (unsigned n = 0;; ++n) {
    socket.send(gateway, request);
    const auto until_next = wait(n);
    if (!until_next) co_return;
    co_await async::sleep_for(*until_next);
  }
}

async::task<> wait_for(async::event& e) { co_await e.wait(); }

}  // namespace

async::task<base::result<base::bytes>> exchange(net::host& h, base::ip_address inside, base::endpoint gateway,
                                                base::bytes request, wait_function wait, accept_function accept) {
  const auto socket = h.bind_udp({inside, 0});
  if (!socket) co_return base::fail(socket.error());
  async::event refused;
  (*socket)->on_unreachable = [&](const base::endpoint&, base::errc) { refused.set(); };
  auto [answer, given_up, nobody] = co_await async::first_of(listen(**socket, gateway, accept),
                                                             transmit(**socket, gateway, request, wait), wait_for(refused));
  if (answer) co_return std::move(*answer);
  co_return base::fail(nobody ? base::errc::refused : base::errc::timed_out);
}

}  // namespace strata::portmap
