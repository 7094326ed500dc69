// The signaling envelope: one JSON object a WebSocket text frame, {"type","peer_id","target_id"?,"payload"}.
//
// Clients disagree about names. Everything is normalised here, at the door: inside the program there are only the
// kinds below, and a client that speaks of "sdp_offer" and "sdp_answer" is answered in those words.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.hpp"
#include "base/result.hpp"

namespace strata::signaling {

enum class errc { not_an_object = 1, no_type, no_peer_id, bad_field, too_large };
std::error_code make_error_code(errc e) noexcept;

enum class kind : std::uint8_t {
  registration,
  peer_list,
  offer,
  answer,
  ice_candidate,
  heartbeat,
  peer_joined,
  peer_left,
  error,
  task,       // registry to a client with the cap "tasks": payload is a Task that is assigned to it now
  task_done,  // its answer: {"task_id"}
  other
};
enum class dialect : std::uint8_t { plain, sdp_names };  // "offer" or "sdp_offer"

struct message {
  kind what = kind::other;
  std::string type;       // as it was written; meaningful for kind::other
  std::string peer_id;    // who sends it
  std::string target_id;  // empty: nobody in particular
  base::json payload;
  dialect names = dialect::plain;  // which dialect the sender used
};

inline constexpr std::size_t largest_message = 256 * 1024;  // bytes of text

base::result<message> parse(std::string_view text);
std::string format(const message& m, dialect names = dialect::plain);

std::string_view name_of(kind k, dialect names = dialect::plain) noexcept;
std::optional<kind> kind_of(std::string_view type) noexcept;

// Peer ids: 1–128 visible ASCII characters.
bool valid_peer_id(std::string_view id) noexcept;

// payload of offers and answers: {"sdp": text}, or a WebRTC object {"sdp": {"type","sdp"}}; empty when there is none.
std::string_view sdp_of(const base::json& payload) noexcept;

// payload of ice_candidate: {"candidate": "candidate:…", "sdpMid", "sdpMLineIndex"} or the same as an inner object.
// An empty text or a null candidate means the end of candidates.
struct candidate_payload {
  std::string candidate;
  std::string mid;
  std::int64_t line_index = 0;
  std::string ufrag;  // which generation, when the peer tells
};
std::optional<candidate_payload> candidate_of(const base::json& payload);
base::json to_payload(const candidate_payload& c);

}  // namespace strata::signaling

template <>
struct std::is_error_code_enum<strata::signaling::errc> : std::true_type {};
