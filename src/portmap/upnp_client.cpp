// UPnP IGD as a procedure: find the gateway, read its description, call its service.
#include <algorithm>
#include <optional>
#include <utility>

#include "async/async.hpp"
#include "http/client.hpp"
#include "portmap/client.hpp"
#include "portmap/igd.hpp"
#include "portmap/schedule.hpp"
#include "portmap/ssdp.hpp"

namespace strata::portmap {
namespace {

constexpr std::size_t largest_description = 128 * 1024;
constexpr unsigned port_attempts = 4, searches = 3;
constexpr base::duration search_wait = 300ms;

async::task<> search_again(net::udp_socket& socket, base::ip_address gateway) {
  for (unsigned n = 0; n < searches; ++n) {
    // To the group as the architecture has it, and to the gateway itself, which is where networks without multicast answer.
    for (const auto& to : {ssdp::group(), gateway})
      for (const auto target : {ssdp::gateway_2, ssdp::gateway_1}) socket.send({to, ssdp::port}, ssdp::search(target));
    co_await async::sleep_for(search_wait);
  }
  co_await async::sleep_for(1s);  // MX
}

async::task<base::result<http::url>> hear(net::udp_socket& socket, base::ip_address gateway) {
  for (;;) {
    const auto batch = co_await socket.receive();
    if (!batch) co_return base::fail(batch.error());
    for (const auto& d : *batch) {
      if (d.peer.address != gateway) continue;  // a television answers, too
      auto answer = ssdp::read_answer(d.payload, d.peer.address);
      if (answer) co_return std::move(answer->location);
    }
  }
}

class upnp_client final : public client {
 public:
  upnp_client(net::host& h, base::ip_address gateway) : host_(h), gateway_(gateway) {}

  [[nodiscard]] protocol by() const noexcept override { return protocol::upnp; }

  async::task<base::result<grant>> request(wish w) override {
    if (auto found = co_await find(w.inside.address); !found) co_return base::fail(found.error());
    const auto outside = co_await external_address();
    if (!outside) {
      service_.reset();  // it may have moved to another port when it restarted
      co_return base::fail(outside.error());
    }
    auto port = w.suggested.port;
    auto lifetime = w.lifetime;
    base::error last(errc::conflict);
    for (unsigned n = 0; n < port_attempts; ++n) {
      const auto seconds = static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::seconds>(lifetime).count());
      const auto answer = co_await call(igd::add_mapping(*service_, w.inside, port, seconds));
      if (!answer) co_return base::fail(answer.error());
      const auto added = igd::read_added(*service_, answer->status, answer->body, port);
      if (added) co_return grant{{w.inside, {*outside, *added}, lifetime, by(), where()}, false};
      last = added.error();
      if (last == errc::permanent_only && lifetime != base::duration::zero()) lifetime = base::duration::zero();
      else if (last == errc::conflict) port = static_cast<std::uint16_t>(1024 + host_.random_below(65536 - 1024));
      else break;
    }
    co_return base::fail(last);
  }

  async::task<base::result<void>> remove(mapping m) override {
    if (!service_) co_return base::fail(errc::no_gateway);
    const auto answer = co_await call(igd::delete_mapping(*service_, m.outside.port));
    if (!answer) co_return base::fail(answer.error());
    const auto gone = igd::read_answer(answer->status, answer->body, "DeletePortMapping");
    if (!gone) co_return base::fail(gone.error());
    co_return base::result<void>();
  }

  async::task<base::result<base::ip_address>> outside_address(base::ip_address inside) override {
    if (auto found = co_await find(inside); !found) co_return base::fail(found.error());
    co_return co_await external_address();
  }

 private:
  async::task<base::result<void>> find(base::ip_address inside) {
    if (service_) co_return base::result<void>();
    net::udp_options options;
    for (const auto& i : host_.interfaces())
      if (i.address == inside) options.multicast_interface = i.index;
    const auto socket = host_.bind_udp({inside, 0}, options);
    if (!socket) co_return base::fail(socket.error());
    const auto [location, silence] = co_await async::first_of(hear(**socket, gateway_), search_again(**socket, gateway_));
    if (!location) co_return base::fail(errc::no_gateway);
    if (!*location) co_return base::fail(location->error());
    const auto& url = **location;
    const auto description = co_await http::fetch(host_, {.url = url}, limits());
    if (!description) co_return base::fail(description.error());
    if (description->status != 200) co_return base::fail(errc::refused);
    auto service = igd::find_service(description->body, url);
    if (!service) co_return base::fail(service.error());
    service_ = std::move(*service);
    co_return base::result<void>();
  }

  async::task<base::result<base::ip_address>> external_address() {
    const auto answer = co_await call(igd::get_external_address(*service_));
    if (!answer) co_return base::fail(answer.error());
    co_return igd::read_external_address(answer->status, answer->body);
  }

  async::task<base::result<http::response>> call(igd::call c) {
    http::outgoing_request r{.method = "POST", .url = service_->control};
    r.headers.add("Content-Type", "text/xml; charset=\"utf-8\"");
    r.headers.add("SOAPAction", c.action);
    r.body = std::move(c.body);
    co_return co_await http::fetch(host_, std::move(r), limits());
  }

  static http::fetch_options limits() {
    http::fetch_options o;
    o.timeout = 5s;
    o.body.bytes = largest_description;
    return o;
  }

  [[nodiscard]] base::endpoint where() const { return {gateway_, service_->control.port}; }

  net::host& host_;
  base::ip_address gateway_;
  std::optional<igd::service> service_;
};

}  // namespace

std::unique_ptr<client> make_upnp_client(net::host& h, base::ip_address gateway) {
  return std::make_unique<upnp_client>(h, gateway);
}

}  // namespace strata::portmap
