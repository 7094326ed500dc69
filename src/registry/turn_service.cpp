#include "registry/turn_service.hpp"

#include <utility>

namespace strata::registry {

turn_service::turn_service(net::host& h, turn_service_config c, trace::tracer t)
    : host_(h), config_(std::move(c)), tracer_(std::move(t)) {}

std::string turn_service::start(const std::string& secret, std::shared_ptr<const net::tls_server_identity> identity) {
  if (config_.relay.empty()) {
    if (config_.listen.address.is_unspecified())
      return "--turn " + config_.listen.to_string() + " is every address: --turn-relay-address says which one to relay from";
    config_.relay = {{config_.listen.address}};
  }
  if (config_.relay.size() > 2 ||
      (config_.relay.size() == 2 && config_.relay[0].bind.family() == config_.relay[1].bind.family()))
    return "--turn-relay-address: one of each family at most";
  if (config_.tls && !identity) return "--turn-tls needs --tls-cert and --tls-key";
  // An address that is not ours shows when the first client comes, which is late.
  for (const auto& r : config_.relay)
    if (auto probe = host_.bind_udp({r.bind, 0}); !probe)
      return "cannot relay from " + r.bind.to_string() + ": " + probe.error().message();
  turn::server::config c;
  c.udp = c.tcp = {config_.listen};
  if (config_.tls) c.tls = {*config_.tls};
  c.identity = std::move(identity);
  c.realm = config_.realm;
  c.secrets = {secret};
  if (!config_.previous_secret.empty()) c.secrets.push_back(config_.previous_secret);
  c.relay = config_.relay;
  c.first_port = config_.ports.first;
  c.last_port = config_.ports.last;
  c.peers = config_.peers;
  c.limits = config_.limits;
  server_ = std::make_unique<turn::server::relay_server>(host_, std::move(c), tracer_);
  if (const auto bound = server_->listen(); !bound)
    return "cannot bind the TURN server to " + config_.listen.to_string() +
           (config_.tls ? " and " + config_.tls->to_string() : std::string()) + ": " + bound.error().message();
  return {};
}

std::string turn_service::seen(const base::endpoint& local) const {
  for (const auto& r : config_.relay)
    if (local.address == r.bind || (local.address.is_unspecified() && local.address.family() == r.bind.family()))
      return base::endpoint{r.seen(), local.port}.to_string();
  return local.to_string();
}

std::vector<std::string> turn_service::urls() const {
  std::vector<std::string> list;
  for (const auto& e : server_->udp_endpoints()) list.push_back("turn:" + seen(e) + "?transport=udp");
  for (const auto& e : server_->tcp_endpoints()) list.push_back("turn:" + seen(e) + "?transport=tcp");
  for (const auto& e : server_->tls_endpoints()) list.push_back("turns:" + seen(e) + "?transport=tcp");
  return list;
}

std::string turn_service::stun_url() const { return "stun:" + seen(endpoint()); }

}  // namespace strata::registry
