#include "ice/candidate.hpp"

namespace strata::ice {

std::string_view to_string(candidate_type t) noexcept {
  switch (t) {
    case candidate_type::host: return "host";
    case candidate_type::server_reflexive: return "srflx";
    case candidate_type::peer_reflexive: return "prflx";
    case candidate_type::relayed: return "relay";
  }
  return "?";
}

std::string_view to_string(transport t) noexcept { return t == transport::udp ? "udp" : "tcp"; }

std::string_view to_string(tcp_type t) noexcept {
  switch (t) {
    case tcp_type::active: return "active";
    case tcp_type::passive: return "passive";
    case tcp_type::simultaneous_open: return "so";
  }
  return "?";
}

bool candidate::is_mdns() const noexcept { return name.size() > 6 && name.ends_with(".local"); }

std::string candidate::describe() const {
  std::string text(to_string(type));
  text += ' ';
  if (name.empty()) return text + address.to_string();
  return text + name + ':' + std::to_string(address.port);
}

bool is_redundant(const candidate& a, const candidate& b) noexcept {
  return a.component == b.component && a.protocol == b.protocol && a.address == b.address && a.name == b.name &&
         a.base_address == b.base_address;
}

}  // namespace strata::ice
