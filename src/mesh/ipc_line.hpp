// The local protocol between a program and its sidecar: one JSON object a line, {"type","payload"}, both ways.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/json.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "mesh/message.hpp"

namespace strata::mesh {

// The upstream client's reader dies for good of a longer line (excluding the newline), so nothing longer is written.
inline constexpr std::size_t longest_line = 65'536;
// What we read: the same content escaped to ASCII may take six times the room.
inline constexpr std::size_t longest_command = 6 * longest_line;

struct command {
  enum class kind { send, broadcast, list_peers, connect, status, ping, trust } what;
  std::string target_peer;
  mesh::message message;
  std::string id;  // the program's own mark for this command, echoed in send_failed and sent
  // Of send and broadcast: how long the message may wait, in which order it stays (0 to 127), and whether it has to outlive
  // this meshd even when it can go out at once.
  std::optional<base::duration> deadline{};
  std::optional<std::uint32_t> stream{};
  bool durable = false;
  std::string action, fingerprint;  // of trust: list, show, accept, forget, own
};

base::result<command> parse_command(std::string_view line);

// Events for the program, without the newline. Empty when the event would not fit into longest_line.
std::optional<std::string> event_line(std::string_view type, base::json payload);
std::optional<std::string> message_event(std::string_view from_peer, const message& m);
std::string peer_event(std::string_view type, std::string_view peer_id);  // peer_connected, peer_disconnected
std::vector<std::string> peer_list_event(const std::vector<std::string>& peers);
std::string send_failed_event(const command& c, std::string_view why);

// A program's command as a line: what meshctl and the tests send.
std::string command_line(std::string_view type, base::json payload);

// Cuts a byte stream into lines. A line over the limit is reported once and skipped to its end.
class line_splitter {
 public:
  explicit line_splitter(std::size_t longest = longest_command) : longest_(longest) {}
  void feed(base::byte_view data);
  // The next whole line without its newline; an error for a line that was too long; nothing when more bytes are needed.
  std::optional<base::result<std::string>> next();

 private:
  std::size_t longest_;
  std::string buffer_;
  std::size_t scanned_ = 0;
  bool skipping_ = false;
};

}  // namespace strata::mesh
