#include "trace/timeline.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <map>
#include <optional>

namespace strata::trace {
namespace {

struct line {
  double at = 0;  // milliseconds on the host's clock
  std::string connection, text;
};

std::optional<line> parse_comment(std::string_view comment) {
  if (!comment.starts_with('+')) return std::nullopt;
  line l;
  const auto [end, trouble] = std::from_chars(comment.data() + 1, comment.data() + comment.size(), l.at);
  const auto bar = comment.find(" | ");
  if (trouble != std::errc() || bar == comment.npos) return std::nullopt;
  const auto from = static_cast<std::size_t>(end - comment.data()) + 1;
  if (from > bar) return std::nullopt;
  l.connection = comment.substr(from, bar - from);
  l.text = comment.substr(bar + 3);
  return l;
}

// RFC 7983 §7: the first byte tells the protocol.
std::string_view kind_of(const base::bytes& payload) {
  if (payload.empty()) return "empty";
  const auto b = payload[0];
  return b < 4 ? "STUN" : b >= 20 && b < 64 ? "DTLS" : b >= 64 && b < 80 ? "TURN channel" : "other";
}

class packet_sum {
 public:
  void add(const pcapng::record& r) {
    if (r.payload.empty()) return;
    auto& s = sums_[std::string(r.inside ? "SCTP" : kind_of(r.payload))];
    ++s[0];
    s[1] += r.payload.size();
  }
  std::string take() {
    std::string out;
    for (const auto& [kind, s] : sums_) out += fmt::format("{}{} x {} ({} bytes)", out.empty() ? "" : ", ", s[0], kind, s[1]);
    sums_.clear();
    return out;
  }

 private:
  std::map<std::string, std::array<std::size_t, 2>> sums_;
};

}  // namespace

std::string timeline(const pcapng::contents& c) {
  std::string out;
  std::optional<double> origin;
  std::map<std::string, double> begun;  // "<connection> <phase>" -> when
  packet_sum between;
  for (const auto& r : c.packets) {
    for (const auto& comment : r.comments) {
      auto l = parse_comment(comment);
      if (!l) continue;
      if (!origin) origin = l->at;
      if (const auto packets = between.take(); !packets.empty()) out += fmt::format("{:>12}  {:12}    | {}\n", "", "", packets);
      std::string took;
      if (const auto phase = l->text.find(" phase "); phase != std::string::npos) {
        const auto name_at = phase + 7;
        const auto name = l->text.substr(name_at, l->text.find(' ', name_at) - name_at);
        const auto key = l->connection + " " + name;
        if (l->text.find(" begins", name_at) != std::string::npos) begun[key] = l->at;
        else if (const auto at = begun.find(key); at != begun.end()) took = fmt::format("  [{:.3f} ms]", l->at - at->second);
      }
      out += fmt::format("{:>9.3f} ms  {:12} {} {}{}\n", l->at - *origin, l->connection, took.empty() ? "--" : "=>", l->text,
                         took);
    }
    between.add(r);
  }
  if (const auto packets = between.take(); !packets.empty()) out += fmt::format("{:>12}  {:12}    | {}\n", "", "", packets);
  out += fmt::format("{} packets, {} sessions with keys\n", c.packets.size(), c.secrets);
  return out;
}

}  // namespace strata::trace
