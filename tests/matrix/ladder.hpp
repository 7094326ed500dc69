// What goes between two peers and the server in a run, packet by packet, for the pictures of docs/nat.md: one line a packet,
//   picture NAME;milliseconds sent;milliseconds at its end;from;to;what;how it ended
#pragma once

#include <cstdio>
#include <string>
#include <vector>

#include "sim/network.hpp"
#include "stun/channel_data.hpp"
#include "stun/message_view.hpp"

namespace strata::test {

class ladder {
 public:
  void saw(const sim::packet_event& e) {
    using moment = sim::packet_event::moment;
    const auto& p = e.packet;
    if (p.protocol != sim::protocol::udp || p.unreachable) return;
    if (e.what == moment::sent) {
      steps_.push_back({e.time, {}, who(p.source), who(p.destination), what(p.payload), {}, p.payload});
      return;
    }
    // A NAT rewrites addresses, never what is inside.
    for (auto& s : steps_)
      if (s.ending.empty() && s.payload == p.payload) {
        s.ended = e.time;
        s.ending = e.what == moment::dropped ? std::string(e.reason) : "arrives";
        return;
      }
  }

  void print(const char* name, std::size_t most) const {
    for (std::size_t i = 0; i < std::min(most, steps_.size()); ++i) {
      const auto& s = steps_[i];
      if (s.ending.empty()) continue;
      std::printf("picture %s;%.1f;%.1f;%s;%s;%s;%s\n", name, since(s.began), since(s.ended), s.from.c_str(), s.to.c_str(),
                  s.what.c_str(), s.ending.c_str());
    }
  }
  [[nodiscard]] std::size_t packets() const noexcept { return steps_.size(); }

 private:
  struct step {
    base::instant began, ended;
    std::string from, to, what, ending;
    base::bytes payload;
  };
  double since(base::instant t) const { return base::milliseconds(t - steps_.front().began); }

  static std::string who(const base::endpoint& e) {
    const auto text = e.address.to_string();
    if (text == "192.168.1.2") return "A";
    if (text == "192.168.2.2") return "B";
    if (text == "203.0.113.1") return "NAT of A";
    if (text == "203.0.113.2") return "NAT of B";
    return "server";
  }
  static std::string what(base::byte_view payload) {
    const auto m = stun::message_view::parse(payload);
    if (!m) return stun::channel_data::parse(payload) ? "ChannelData" : "data";
    std::string name;
    switch (m->method()) {
      case stun::method::binding: name = m->has(stun::attribute_type::username) ? "check" : "Binding"; break;
      case stun::method::allocate: name = "Allocate"; break;
      case stun::method::refresh: name = "Refresh"; break;
      case stun::method::create_permission: name = "CreatePermission"; break;
      case stun::method::channel_bind: name = "ChannelBind"; break;
      case stun::method::send: return "Send";
      case stun::method::data: return "Data";
      default: name = "STUN";
    }
    if (m->has(stun::attribute_type::use_candidate)) name += ", nominates";
    if (m->class_() == stun::message_class::success) name += ": success";
    if (m->class_() == stun::message_class::error) name += ": error";
    return name;
  }

  std::vector<step> steps_;
};

}  // namespace strata::test
