// The rules of the server with ports that are only counted, and a client that knows its password.
#pragma once

#include <doctest/doctest.h>

#include <map>
#include <set>

#include "turn/server/engine.hpp"
#include "turn_messages.hpp"

namespace strata::test {

namespace server = turn::server;
using namespace std::chrono_literals;

inline server::rules_config open_rules() {
  server::rules_config c;
  c.users["alice"] = "secret";
  c.users["bob"] = "secret";
  c.relay = {{at("198.51.100.9:0").address}, {at("[2001:db8::9]:0").address}};
  c.peers = server::peer_policy::everything();
  return c;
}

inline server::own_addresses own_of(const server::rules_config& c) {
  server::own_addresses own;
  for (const auto& r : c.relay) own.relay.push_back(r.bind);
  own.listening = {3478};
  own.first_port = c.first_port;
  own.last_port = c.last_port;
  return own;
}

struct lab : server::port_source {
  explicit lab(server::rules_config c = open_rules()) : config(c), e(c, own_of(c), base::to_bytes("nobody knows"), 42, *this) {}

  std::optional<base::endpoint> open(server::allocation_id id, base::ip_family f, bool even_port) override {
    if (!refuse.empty() && refuse.contains(f)) return std::nullopt;
    next = static_cast<std::uint16_t>(next + (even_port && next % 2 == 0 ? 2 : 1));
    for (const auto& r : config.relay)
      if (r.bind.family() == f) return ports[{id, f}] = base::endpoint{r.seen(), next};
    return std::nullopt;
  }
  void close(server::allocation_id id, base::ip_family f) override { CHECK(ports.erase({id, f}) == 1); }

  server::outcome say(base::byte_view message, const server::five_tuple& from) {
    out.clear();
    said.assign(message.begin(), message.end());  // an outcome borrows from it
    return e.from_client(said, from, t, out);
  }
  server::outcome say(base::byte_view message) { return say(message, tuple); }
  // The code of the answer: 0 is success, -2 is silence.
  int ask(base::byte_view message, const server::five_tuple& from) {
    return say(message, from).what == server::outcome::kind::answered ? code_of(out) : -2;
  }
  int ask(base::byte_view message) { return ask(message, tuple); }
  [[nodiscard]] stun::message_view answer() const { return *stun::message_view::parse(out); }

  login log_in(std::string user, const server::five_tuple& from, std::string password = "secret") {
    CHECK(ask(request(stun::method::allocate, udp), from) == 401);
    return {std::move(user), std::move(password), std::string(answer().get<stun::realm>()->text),
            std::string(answer().get<stun::nonce>()->text)};
  }
  login log_in(std::string user = "alice") { return log_in(std::move(user), tuple); }
  // The first relayed address.
  base::endpoint allocate(const login& who, const filler& wish = udp) {
    REQUIRE(ask(request(stun::method::allocate, wish, who)) == 0);
    return answer().get<stun::xor_relayed_address>()->endpoint;
  }
  server::allocation_id id(std::size_t n = 0) const {
    return std::next(ports.begin(), static_cast<std::ptrdiff_t>(n))->first.first;
  }

  server::rules_config config;
  std::map<std::pair<server::allocation_id, base::ip_family>, base::endpoint> ports;
  std::set<base::ip_family> refuse;
  std::uint16_t next = 50000;
  server::moment t{base::instant(1h), 1'700'000'000};
  server::engine e;
  base::bytes out, said;
  server::five_tuple tuple{at("203.0.113.5:4000"), at("198.51.100.9:3478"), server::client_transport::udp};
};

inline filler asks(std::uint32_t seconds) {
  return [seconds](stun::message_writer& w) { w.add(stun::lifetime{seconds}); };
}

}  // namespace strata::test
