#include "registryd_turn.hpp"

namespace strata::apps {
namespace {

constexpr std::uint16_t turn_port = 3478, turns_port = 5349;  // RFC 8656 §4.1

std::optional<base::endpoint> endpoint_of(const std::string& text, std::uint16_t port) {
  if (const auto address = base::ip_address::parse(text)) return base::endpoint{*address, port};
  return base::endpoint::parse(text);
}

// A check of CLI11: what is wrong, or nothing.
template <class Parse>
auto check(Parse parse, std::string what) {
  return [=](const std::string& text) { return parse(text) ? std::string() : "'" + text + "' is not " + what; };
}

}  // namespace

std::shared_ptr<turn_options> add_turn_options(CLI::App& app) {
  auto o = std::make_shared<turn_options>();
  const auto endpoint = check([](const std::string& t) { return endpoint_of(t, turn_port); }, "ADDRESS or ADDRESS:PORT");
  const auto prefix = check([](const std::string& t) { return turn::server::address_prefix::parse(t); }, "ADDRESS/BITS");
  auto* turn = app.add_option("--turn", o->listen,
                              "ADDRESS[:PORT] of the built-in TURN server, which answers STUN as well, over UDP and TCP; none "
                              "without it. Peers are told of it with credentials of their own")
                   ->check(endpoint);
  app.add_option("--turn-tls", o->tls, "ADDRESS[:PORT]: TURN over TLS, with --tls-cert")->check(endpoint)->needs(turn);
  app.add_option(
         "--turn-relay-address", o->relay,
         "address that is relayed from, or BOUND=ANNOUNCED behind a one-to-one NAT; may be repeated, one of each family "
         "(default: that of --turn)")
      ->check(check(turn::server::relay_address::parse, "ADDRESS or BOUND=ANNOUNCED"))
      ->needs(turn);
  app.add_option("--turn-ports", o->ports, "ports that are relayed from")
      ->check(check(turn::server::port_range::parse, "FIRST-LAST"))
      ->capture_default_str()
      ->needs(turn);
  app.add_option("--turn-allow-peer", o->allow,
                 "ADDRESS/BITS that may be relayed to though it is private, loopback or otherwise not of the open Internet")
      ->check(prefix)
      ->needs(turn);
  app.add_option("--turn-refuse-peer", o->refuse, "ADDRESS/BITS that is never relayed to")->check(prefix)->needs(turn);
  app.add_option("--turn-realm", o->realm, "realm of the credentials")->capture_default_str()->needs(turn);
  app.add_option("--turn-allocations", o->allocations, "allocations at a time, of all peers")
      ->capture_default_str()
      ->needs(turn);
  app.add_option("--turn-peer-allocations", o->of_one_user, "allocations at a time, of one peer")
      ->capture_default_str()
      ->needs(turn);
  app.add_option("--turn-peer-bandwidth", o->bytes_per_second, "bytes a second that one peer may relay; 0: no limit")
      ->capture_default_str()
      ->needs(turn);
  return o;
}

std::optional<registry::turn_service_config> turn_options::config() const {
  if (listen.empty()) return std::nullopt;
  registry::turn_service_config c;
  c.listen = *endpoint_of(listen, turn_port);
  if (!tls.empty()) c.tls = *endpoint_of(tls, turns_port);
  for (const auto& r : relay) c.relay.push_back(*turn::server::relay_address::parse(r));
  c.ports = *turn::server::port_range::parse(ports);
  for (const auto& p : allow) c.peers.allowed.push_back(*turn::server::address_prefix::parse(p));
  for (const auto& p : refuse) c.peers.refused.push_back(*turn::server::address_prefix::parse(p));
  c.realm = realm;
  c.limits.allocations = allocations;
  c.limits.allocations_of_one_user = of_one_user;
  c.limits.bytes_per_second_of_one_user = bytes_per_second;
  return c;
}

}  // namespace strata::apps
