#include "mesh/ipc_line.hpp"

#include "signaling/message.hpp"

namespace strata::mesh {
namespace {

constexpr std::int64_t longest_deadline = 7LL * 24 * 3600 * 1000;

std::optional<command::kind> kind_of(std::string_view type) {
  using kind = command::kind;
  if (type == "send") return kind::send;
  if (type == "broadcast") return kind::broadcast;
  if (type == "list_peers") return kind::list_peers;
  if (type == "connect") return kind::connect;
  if (type == "status") return kind::status;
  if (type == "ping") return kind::ping;
  if (type == "trust") return kind::trust;
  return std::nullopt;
}

}  // namespace

base::result<command> parse_command(std::string_view line) {
  const auto v = base::json::parse(line);
  if (!v) return base::fail(v.error());
  if (!v->is_object()) return base::fail(errc::not_an_object);
  const auto type = v->text("type");
  if (type.empty()) return base::fail(errc::no_type);
  const auto what = kind_of(type);
  if (!what) return base::fail(errc::unknown_command);
  command c;
  c.what = *what;
  static const base::json nothing;
  const auto* found = v->find("payload");
  const auto& payload = found != nullptr ? *found : nothing;
  if (!payload.is_null() && !payload.is_object())
    return base::fail(errc::bad_field, base::error::nowhere, "payload as an object");
  c.target_peer = payload.text("target_peer", payload.text("target_peer_id"));
  c.id = payload.text("id");
  c.action = payload.text("action").substr(0, 16);
  c.fingerprint = payload.text("fingerprint").substr(0, 128);
  using kind = command::kind;
  if ((c.what == kind::send || c.what == kind::connect || c.what == kind::ping) && !signaling::valid_peer_id(c.target_peer))
    return base::fail(errc::no_target, base::error::nowhere, "payload.target_peer");
  if (c.what == kind::send || c.what == kind::broadcast) {
    const auto* m = payload.find("message");
    auto message = message::from(m != nullptr ? *m : nothing);
    if (!message) return base::fail(message.error());
    c.message = std::move(*message);
    if (const auto* d = payload.find("deadline_ms"); d != nullptr) {
      if (!d->as_int() || *d->as_int() < 1 || *d->as_int() > longest_deadline)
        return base::fail(errc::bad_field, base::error::nowhere, "payload.deadline_ms: from 1 to a week");
      c.deadline = std::chrono::milliseconds(*d->as_int());
    }
    if (const auto* n = payload.find("stream"); n != nullptr) {
      if (!n->as_int() || *n->as_int() < 0 || *n->as_int() > 127)
        return base::fail(errc::bad_field, base::error::nowhere, "payload.stream: from 0 to 127");
      c.stream = static_cast<std::uint32_t>(*n->as_int());
    }
    if (const auto* d = payload.find("durable"); d != nullptr) c.durable = d->as_bool().value_or(false);
  }
  return c;
}

std::optional<std::string> event_line(std::string_view type, base::json payload) {
  auto line = base::json::make({{"type", type}, {"payload", std::move(payload)}}).dump();
  if (line.size() > longest_line) return std::nullopt;
  return line;
}

std::optional<std::string> message_event(std::string_view from_peer, const message& m) {
  return event_line("message", base::json::make({{"from_peer", from_peer}, {"message", m.to_json()}}));
}

std::string peer_event(std::string_view type, std::string_view peer_id) {
  return *event_line(type, base::json::make({{"peer_id", peer_id}}));
}

std::vector<std::string> peer_list_event(const std::vector<std::string>& peers) {
  // The client replaces its set with what it gets, so a list that does not fit cannot be split; the rest follows
  // as peer_connected events, which add.
  std::vector<std::string> lines;
  base::json::array listed;
  std::size_t size = 64;
  std::size_t n = 0;
  for (; n < peers.size() && size + peers[n].size() + 3 <= longest_line; ++n) {
    size += peers[n].size() + 3;
    listed.emplace_back(peers[n]);
  }
  lines.push_back(*event_line("peer_list", base::json::make({{"peers", std::move(listed)}})));
  for (; n < peers.size(); ++n) lines.push_back(peer_event("peer_connected", peers[n]));
  return lines;
}

std::string send_failed_event(const command& c, std::string_view why) {
  auto payload =
      base::json::make({{"target_peer", c.target_peer}, {"request_id", c.message.request_id.substr(0, 256)}, {"error", why}});
  if (!c.id.empty()) payload.set("id", c.id.substr(0, 256));
  return *event_line("send_failed", std::move(payload));
}

std::string command_line(std::string_view type, base::json payload) {
  return base::json::make({{"type", type}, {"payload", std::move(payload)}}).dump() + "\n";
}

void line_splitter::feed(base::byte_view data) { buffer_.append(base::as_text(data)); }

std::optional<base::result<std::string>> line_splitter::next() {
  for (;;) {
    const auto end = buffer_.find('\n', scanned_);
    if (end == std::string::npos) {
      if (skipping_) buffer_.clear();
      scanned_ = buffer_.size();
      if (buffer_.size() <= longest_) return std::nullopt;
      buffer_.clear();
      scanned_ = 0;
      skipping_ = true;
      return base::fail(errc::line_too_long);
    }
    auto line = buffer_.substr(0, end);
    buffer_.erase(0, end + 1);
    scanned_ = 0;
    if (std::exchange(skipping_, false)) continue;
    if (line.size() > longest_) return base::fail(errc::line_too_long);
    if (line.ends_with('\r')) line.pop_back();
    if (line.find_first_not_of(" \t") == std::string::npos) continue;  // blank lines are skipped
    return line;
  }
}

}  // namespace strata::mesh
