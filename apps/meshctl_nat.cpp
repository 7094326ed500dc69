#include "meshctl_nat.hpp"

#include <fmt/format.h>

#include <cstdio>

#include "async/async.hpp"
#include "base/json.hpp"
#include "http/client.hpp"
#include "mesh/ice_servers.hpp"
#include "net/tls_stream.hpp"
#include "portmap/error.hpp"
#include "portmap/mapper.hpp"
#include "stun/discovery/discover.hpp"
#include "stun/discovery/nat_print.hpp"

namespace strata::apps {
namespace {

constexpr int done = 0, failed = 1;

int complain(const std::string& text) {
  std::fprintf(stderr, "meshctl: %s\n", text.c_str());
  return failed;
}

// STUN servers that a registry tells its peers of; a TURN server answers STUN as well.
async::task<base::result<std::vector<base::host_port>>> ask_registry(net::host& h, std::string registry) {
  while (registry.ends_with('/')) registry.pop_back();
  auto url = http::url::parse(registry + "/api/config");
  if (!url) co_return base::fail(url.error());
  http::fetch_options options;
  options.tls = [&h](std::unique_ptr<net::stream> s, std::string name) {
    return net::tls_connect(h, std::move(s), {.server_name = std::move(name)});
  };
  const auto answer = co_await http::fetch(h, {.url = std::move(*url)}, std::move(options));
  if (!answer) co_return base::fail(answer.error());
  if (answer->status != 200) co_return base::fail(base::errc::refused);
  const auto config = base::json::parse(answer->body);
  if (!config) co_return base::fail(config.error());
  std::vector<base::host_port> servers;
  const auto* list = config->find("iceServers");
  const auto known = mesh::ice_servers::from(list != nullptr ? *list : base::json());
  for (const auto& s : known.stun) servers.push_back({s.host, s.port});
  for (const auto& t : known.turn)
    if (!t.uri.secure && t.uri.transport == stun::server_uri::transport_kind::udp) servers.push_back({t.uri.host, t.uri.port});
  co_return servers;
}

// A port of the gateway's, given back at once: whether it can be had, and where the gateway believes the outside is.
async::task<> ask_gateway(net::host& h, stun::surroundings& around) {
  portmap::mapper mapper(h);
  for (const auto& i : h.interfaces()) {
    if (!i.up || i.loopback || !i.address.is_v4()) continue;
    const auto socket = h.bind_udp({i.address, 0});
    if (!socket) continue;
    const auto got = co_await mapper.map((*socket)->local_endpoint());
    if (got) {
      around.gateway_outside = got->outside.address;
      around.port_mapping = got->outside;
      around.port_mapping_protocol = to_string(got->by);
      co_await mapper.release();
      co_return;
    }
    const auto address = co_await mapper.outside_address(i.address);
    if (address) around.gateway_outside = *address;
  }
}

}  // namespace

async::task<int> show_nat(net::host& h, nat_options o) {
  std::vector<base::host_port> names;
  for (const auto& text : o.servers) {
    auto where = base::host_port::parse(text);
    if (!where || where->host.empty()) co_return complain("'" + text + "' is not host[:port]");
    names.push_back(std::move(*where));
  }
  if (!o.registry.empty()) {
    auto more = co_await ask_registry(h, o.registry);
    if (!more) co_return complain(o.registry + ": " + more.error().message());
    names.insert(names.end(), more->begin(), more->end());
  }
  if (names.empty()) co_return complain("no STUN server: give --server HOST:PORT, or --registry URL of one that names some");
  stun::discovery_config config;
  config.lifetime = o.lifetime;
  for (const auto& n : names) {
    const auto addresses = co_await h.resolve(n.host);
    if (!addresses) {
      complain(n.host + ": " + addresses.error().message());
      continue;
    }
    for (const auto& a : *addresses) config.servers.push_back({a, n.port.value_or(3478)});
  }
  if (config.servers.empty()) co_return failed;
  co_await ask_gateway(h, config.around);
  const auto report = co_await stun::discover_nat(h, std::move(config));
  if (o.as_json) fmt::print("{}\n", stun::as_json(report).dump());
  else if (o.as_line) fmt::print("{}\n", stun::as_line(report));
  else fmt::print("{}", stun::as_table(report));
  co_return report.name() == stun::nat_name::offline ? failed : done;
}

async::task<int> map_port(net::host& h, port_mapping_options o) {
  const auto use = [&](std::string_view name) { return o.protocol.empty() || o.protocol == name; };
  portmap::mapper mapper(h, {.pcp = use("pcp"), .nat_pmp = use("nat-pmp"), .upnp = use("upnp")});
  base::error why(portmap::errc::no_gateway);
  for (const auto& i : h.interfaces()) {
    if (!i.up || i.loopback || !i.address.is_v4()) continue;
    const auto got = co_await mapper.map({i.address, o.port});
    if (!got) {
      why = got.error();
      continue;
    }
    fmt::print("{}\n", got->outside.to_string());
    std::fflush(stdout);
    std::fprintf(stderr, "for %s by %s of %s\n", got->inside.to_string().c_str(), std::string(to_string(got->by)).c_str(),
                 got->gateway.to_string().c_str());
    (void)co_await async::with_timeout(std::chrono::seconds(o.seconds), mapper.run());
    co_await mapper.release();
    co_return done;
  }
  co_return complain(why.message());
}

}  // namespace strata::apps
