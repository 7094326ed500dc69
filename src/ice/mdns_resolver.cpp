#include "ice/mdns_resolver.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include "async/channel.hpp"
#include "async/scope.hpp"
#include "async/sleep.hpp"
#include "ice/error.hpp"
#include "ice/mdns.hpp"

namespace strata::ice::mdns {
namespace {

using namespace std::chrono_literals;
using addresses = std::vector<base::ip_address>;

struct link {
  std::uint32_t interface = 0;
  base::ip_family family = base::ip_family::v4;
  friend bool operator==(const link&, const link&) = default;
};

std::vector<link> links(net::host& host, const std::function<bool(const net::interface_address&)>& use) {
  std::vector<link> all;
  for (const auto& i : host.interfaces()) {
    const link l{i.index, i.address.family()};
    if (i.up && i.multicast && (!use || use(i)) && std::ranges::find(all, l) == all.end()) all.push_back(l);
  }
  return all;
}

std::unique_ptr<net::udp_socket> open(net::host& host, const link& l) {
  const base::endpoint well_known{base::ip_address::any(l.family), port};
  // RFC 6762 §15: the port is shared with a responder of the system, if there is one. Where that does not share, an
  // answer to an ephemeral port has to do (§6.7: a responder takes such a question for a simple resolver's).
  auto socket = host.bind_udp(well_known,
                              {.reuse_address = true, .multicast_group = group(l.family), .multicast_interface = l.interface});
  if (!socket) socket = host.bind_udp({well_known.address, 0}, {.multicast_interface = l.interface});
  return socket ? std::move(*socket) : nullptr;
}

async::task<> listen(net::udp_socket& socket, std::string name, async::channel<addresses>& found) {
  for (;;) {
    const auto batch = co_await socket.receive();
    if (!batch) co_return;
    for (const auto& d : *batch) {
      // RFC 6762 §6: answers come from port 5353. Anything else, our own question included, is not one.
      if (d.peer.port != port) continue;
      const auto m = decode(d.payload);
      if (!m || !m->response) continue;
      addresses a;
      for (const auto& answer : m->answers)
        if (answer.name == name && answer.ttl != 0) a.push_back(answer.address);
      if (!a.empty()) found.try_send(std::move(a));
    }
  }
}

// A lost question is asked again; the first wants its answer for us alone (RFC 6762 §5.4), the others from whoever shares
// the port with us and would have got that answer instead.
async::task<> question(std::vector<std::unique_ptr<net::udp_socket>>& sockets, std::string name) {
  auto wait = 250ms;
  for (bool unicast = true;; unicast = false, wait *= 2) {
    const auto packet = encode(ask(name, unicast));
    for (auto& s : sockets) s->send({group(s->local_endpoint().address.family()), port}, packet);
    co_await async::sleep_for(wait);
  }
}

async::task<addresses> first_answer(net::host& host, std::string name,
                                    const std::function<bool(const net::interface_address&)>& use) {
  std::vector<std::unique_ptr<net::udp_socket>> sockets;
  for (const auto& l : links(host, use))
    if (auto s = open(host, l)) sockets.push_back(std::move(s));
  async::channel<addresses> found(1);
  co_return co_await async::with_scope(async::at_end::cancel, [&](async::scope& scope) -> async::task<addresses> {
    for (auto& s : sockets) scope.spawn("mdns listen", listen, std::ref(*s), name, std::ref(found));
    scope.spawn("mdns question", question, std::ref(sockets), name);
    co_return *co_await found.receive();
  });
}

}  // namespace

async::task<base::result<addresses>> resolve(net::host& host, std::string name, base::duration limit,
                                             std::function<bool(const net::interface_address&)> use_interface) {
  std::ranges::transform(name, name.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  auto answer = co_await async::with_timeout(limit, first_answer(host, name, use_interface));
  if (!answer) co_return base::fail(errc::not_found);
  co_return std::move(*answer);
}

}  // namespace strata::ice::mdns
