#include "trace/event.hpp"

#include <fmt/format.h>

namespace strata::trace {

std::string_view to_string(layer l) noexcept {
  switch (l) {
    case layer::net: return "net";
    case layer::stun: return "stun";
    case layer::turn: return "turn";
    case layer::ice: return "ice";
    case layer::dtls: return "dtls";
    case layer::sctp: return "sctp";
    case layer::datachannel: return "datachannel";
    case layer::sdp: return "sdp";
    case layer::rtc: return "rtc";
    case layer::http: return "http";
    case layer::signaling: return "signaling";
    case layer::registry: return "registry";
    case layer::mesh: return "mesh";
    case layer::portmap: return "portmap";
  }
  return "?";
}

std::string describe(const event& e) {
  struct visitor {
    std::string operator()(const packet& p) const {
      return fmt::format("net {} {} bytes {} {}", p.way == direction::sent ? "sent" : "received", p.data.size(),
                         p.way == direction::sent ? "to" : "from", p.remote.to_string());
    }
    std::string operator()(const inner_packet& p) const {
      return fmt::format("sctp {} {} bytes", p.way == direction::sent ? "sent" : "received", p.data.size());
    }
    std::string operator()(const dtls_secret&) const { return "dtls keys derived"; }
    std::string operator()(const state_change& s) const {
      return fmt::format("{} {}: {} -> {} ({})", to_string(s.where), s.subject, s.from, s.to, s.reason);
    }
    std::string operator()(const phase& p) const {
      return fmt::format("{} phase {} {}{}{}", to_string(p.where), p.name, p.begins ? "begins" : "ends",
                         p.detail.empty() ? "" : ": ", p.detail);
    }
    std::string operator()(const drop& d) const {
      return fmt::format("{} dropped {} bytes from {}: {}", to_string(d.where), d.size, d.remote.to_string(), d.reason);
    }
    std::string operator()(const note& n) const { return fmt::format("{} {}: {}", to_string(n.where), n.subject, n.text); }
  };
  return std::visit(visitor(), e);
}

}  // namespace strata::trace
