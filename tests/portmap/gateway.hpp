// A home router's control plane on a simulated host: PCP, NAT-PMP and UPnP IGD over one table of mappings.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "async/async.hpp"
#include "base/byte_reader.hpp"
#include "base/byte_writer.hpp"
#include "http/server.hpp"
#include "portmap/igd.hpp"
#include "portmap/ssdp.hpp"
#include "portmap/xml.hpp"
#include "sim/network.hpp"

namespace test {

using namespace strata;
using namespace std::chrono_literals;

struct gateway_behaviour {
  bool pcp = true, nat_pmp = true, upnp = true;
  bool version_two = true;      // WANIPConnection:2
  bool permanent_only = false;  // UPnP 725
  std::uint8_t pcp_result = 0;  // answers everything with it
  std::uint16_t pmp_result = 0;
  base::duration lifetime = 1h;  // the longest it grants
  unsigned deaf_to = 0;          // loses so many datagrams
  std::string location{};        // instead of its own
};

class gateway {
 public:
  struct entry {
    base::endpoint inside;
    base::bytes nonce;
  };

  gateway(sim::host& h, base::ip_address outside, gateway_behaviour b) : outside_address(outside), host_(h), behaviour(b) {
    restart();
  }

  void restart() {
    mappings.clear();
    started_ = host_.now();
  }

  async::task<> run() {
    co_await async::with_scope(async::at_end::join, [this](async::scope& s) -> async::task<> {
      if (behaviour.pcp || behaviour.nat_pmp) s.spawn("5351", [this] { return serve_datagrams(); });
      if (behaviour.upnp) s.spawn("ssdp", [this] { return serve_ssdp(); });
      if (behaviour.upnp) s.spawn("igd", [this] { return serve_igd(); });
      co_return;
    });
  }

  std::map<std::uint16_t, entry> mappings;  // by outside port
  std::vector<std::string> asked;           // "PCP 4000 7200", "NAT-PMP address", "UPnP AddPortMapping"
  std::vector<base::instant> times;
  base::ip_address outside_address;

 private:
  sim::host& host_;

 public:
  gateway_behaviour behaviour;

 private:
  [[nodiscard]] std::uint32_t epoch() {
    return static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::seconds>(host_.now() - started_).count());
  }
  [[nodiscard]] std::uint32_t granted(std::uint32_t wanted) const {
    const auto most = static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::seconds>(behaviour.lifetime).count());
    return wanted < most ? wanted : most;
  }
  void log(std::string what) {
    asked.push_back(std::move(what));
    times.push_back(host_.now());
  }

  std::uint16_t assign(const base::endpoint& inside, std::uint16_t suggested, const base::bytes& nonce = {}) {
    for (const auto& [port, e] : mappings)
      if (e.inside == inside) return port;
    auto port = suggested != 0 ? suggested : std::uint16_t{20000};
    while (mappings.contains(port)) ++port;
    mappings[port] = {inside, nonce};
    return port;
  }
  void erase(const base::endpoint& inside) {
    std::erase_if(mappings, [&](const auto& m) { return m.second.inside == inside; });
  }

  async::task<> serve_datagrams() {
    const auto socket = host_.bind_udp({host_.address(0), 5351});
    for (;;) {
      const auto batch = co_await (*socket)->receive();
      if (!batch) co_return;
      for (const auto& d : *batch) {
        if (behaviour.deaf_to != 0) {
          --behaviour.deaf_to;
          continue;
        }
        const auto answer = answer_to(d.payload, d.peer);
        if (!answer.empty()) (*socket)->send(d.peer, answer);
      }
    }
  }

  base::bytes answer_to(base::byte_view d, const base::endpoint& from) {
    base::bytes out;
    base::byte_writer w(out);
    if (d.size() < 2) return out;
    if (d[0] == 2 && behaviour.pcp && d.size() == 60) return answer_pcp(d, from);
    if (d[0] == 2) {  // RFC 6886 §3.5: a version that it does not know
      w.u16(0x0081);
      w.u16(1);
      w.u32(epoch());
      return out;
    }
    if (!behaviour.nat_pmp) return out;
    if (d[1] == 0) {
      log("NAT-PMP address");
      w.u16(0x0080);
      w.u16(behaviour.pmp_result);
      w.u32(epoch());
      w.write(outside_address.octets());
      return out;
    }
    base::byte_reader r(d.subspan(4));
    const auto inside = *r.u16(), suggested = *r.u16();
    const auto lifetime = *r.u32();
    log("NAT-PMP " + std::to_string(inside) + " " + std::to_string(lifetime));
    const base::endpoint owner{from.address, inside};
    std::uint16_t outside = 0;
    if (behaviour.pmp_result == 0 && lifetime == 0) erase(owner);
    else if (behaviour.pmp_result == 0) outside = assign(owner, suggested);
    w.u16(0x0081);
    w.u16(behaviour.pmp_result);
    w.u32(epoch());
    w.u16(inside);
    w.u16(outside);
    w.u32(lifetime == 0 ? 0 : granted(lifetime));
    return out;
  }

  base::bytes answer_pcp(base::byte_view d, const base::endpoint& from) {
    base::byte_reader r(d.subspan(4));
    const auto lifetime = *r.u32();
    const auto client = *r.take(16);
    const auto nonce = base::to_bytes(*r.take(12));
    r.skip(4);
    const auto inside = *r.u16(), suggested = *r.u16();
    log("PCP " + std::to_string(inside) + " " + std::to_string(lifetime));
    const base::endpoint owner{from.address, inside};
    auto result = behaviour.pcp_result;
    // RFC 6887 §8.2: whoever says another address than it sends from is behind a NAT.
    if (base::to_bytes(client.subspan(12)) != base::to_bytes(from.address.octets())) result = 12;
    for (const auto& [port, e] : mappings)
      if (e.inside == owner && !e.nonce.empty() && e.nonce != nonce) result = 2;
    std::uint16_t outside = 0;
    if (result == 0 && lifetime == 0) erase(owner);
    else if (result == 0) outside = assign(owner, suggested, nonce);
    base::bytes out;
    base::byte_writer w(out);
    w.u16(0x0281);
    w.u16(result);
    w.u32(lifetime == 0 ? 0 : granted(lifetime));
    w.u32(epoch());
    w.fill(12);
    w.write(nonce);
    w.u32(17u << 24);
    w.u16(inside);
    w.u16(outside);
    w.fill(10);
    w.fill(2, 0xff);
    w.write(outside_address.octets());
    return out;
  }

  async::task<> serve_ssdp() {
    const auto socket = host_.bind_udp({base::ip_address::any(base::ip_family::v4), 1900},
                                       {.multicast_group = portmap::ssdp::group(), .multicast_interface = 2});
    for (;;) {
      const auto batch = co_await (*socket)->receive();
      if (!batch) co_return;
      for (const auto& d : *batch) {
        const auto text = base::as_text(d.payload);
        const auto target = behaviour.version_two ? portmap::ssdp::gateway_2 : portmap::ssdp::gateway_1;
        if (text.find("ssdp:discover") == std::string_view::npos || text.find(target) == std::string_view::npos) continue;
        const auto where =
            behaviour.location.empty() ? "http://" + host_.address(0).to_string() + ":5000/root.xml" : behaviour.location;
        (*socket)->send(
            d.peer, base::as_bytes("HTTP/1.1 200 OK\r\nST: " + std::string(target) + "\r\nLOCATION: " + where + "\r\n\r\n"));
      }
    }
  }

  async::task<> serve_igd() {
    auto listener = host_.listen_tcp({host_.address(0), 5000});
    http::server server(
        host_, {}, {.on_request = [this](const http::request& r) -> async::task<http::response> { co_return answer_http(r); }});
    co_await server.run(std::move(*listener));
  }

  http::response answer_http(const http::request& r) {
    const std::string type = behaviour.version_two ? "WANIPConnection:2" : "WANIPConnection:1";
    if (r.method == "GET")
      return http::response::text(200,
                                  "<root><device><serviceList><service><serviceType>urn:schemas-upnp-org:service:" + type +
                                      "</serviceType><controlURL>/ctl</controlURL></service></serviceList></device></root>");
    const auto envelope = portmap::xml::parse(r.body);
    const auto& action = envelope->child("Body")->children.front();
    log("UPnP " + action.name);
    const auto reply = [&](std::string_view inside) {
      return http::response::text(200, "<s:Envelope><s:Body><u:" + action.name + "Response>" + std::string(inside) +
                                           "</u:" + action.name + "Response></s:Body></s:Envelope>");
    };
    const auto refuse = [&](int code) {
      return http::response::text(500, "<s:Envelope><s:Body><s:Fault><detail><UPnPError><errorCode>" + std::to_string(code) +
                                           "</errorCode></UPnPError></detail></s:Fault></s:Body></s:Envelope>");
    };
    if (action.name == "GetExternalIPAddress")
      return reply("<NewExternalIPAddress>" + outside_address.to_string() + "</NewExternalIPAddress>");
    const auto port = *base::parse_port(action.text_of("NewExternalPort"));
    if (action.name == "DeletePortMapping") {
      mappings.erase(port);
      return reply("");
    }
    if (behaviour.permanent_only && action.text_of("NewLeaseDuration") != "0") return refuse(725);
    const base::endpoint owner{*base::ip_address::parse(action.text_of("NewInternalClient")),
                               *base::parse_port(action.text_of("NewInternalPort"))};
    if (action.name == "AddAnyPortMapping")
      return reply("<NewReservedPort>" + std::to_string(assign(owner, port)) + "</NewReservedPort>");
    if (mappings.contains(port) && mappings[port].inside != owner) return refuse(718);
    mappings[port] = {owner, {}};
    return reply("");
  }

  base::instant started_{};
};

}  // namespace test
