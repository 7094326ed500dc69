#include "signaling/message.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace strata::signaling {
namespace {

class category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "signaling"; }
  std::string message(int value) const override {
    switch (static_cast<errc>(value)) {
      case errc::not_an_object: return "the message is not a JSON object";
      case errc::no_type: return "the message has no type";
      case errc::no_peer_id: return "the message has no peer_id";
      case errc::bad_field: return "a field has the wrong kind of value";
      case errc::too_large: return "the message is too large";
    }
    return "unknown error";
  }
};

// Every name a kind is known by; the first is the one that is written.
constexpr std::array<std::pair<std::string_view, kind>, 17> names_in = {{
    {"register", kind::registration},
    {"peer_list", kind::peer_list},
    {"offer", kind::offer},
    {"answer", kind::answer},
    {"ice_candidate", kind::ice_candidate},
    {"heartbeat", kind::heartbeat},
    {"peer_joined", kind::peer_joined},
    {"peer_left", kind::peer_left},
    {"error", kind::error},
    {"task", kind::task},
    {"task_done", kind::task_done},
    {"sdp_offer", kind::offer},
    {"sdp_answer", kind::answer},
    {"sdp_candidate", kind::ice_candidate},
    {"candidate", kind::ice_candidate},
    {"ice", kind::ice_candidate},
    {"ice-candidate", kind::ice_candidate},
}};

// Absent is empty; anything but text is an error.
base::result<std::string> text_field(const base::json& v, std::string_view name) {
  const auto* field = v.find(name);
  if (field == nullptr || field->is_null()) return std::string();
  const auto* s = field->as_string();
  if (s == nullptr) return base::fail(errc::bad_field, base::error::nowhere, "text in type, peer_id and target_id");
  return *s;
}

}  // namespace

std::error_code make_error_code(errc e) noexcept {
  static const category instance;
  return {static_cast<int>(e), instance};
}

std::optional<kind> kind_of(std::string_view type) noexcept {
  for (const auto& [name, k] : names_in)
    if (name == type) return k;
  return std::nullopt;
}

std::string_view name_of(kind k, dialect names) noexcept {
  if (names == dialect::sdp_names && k == kind::offer) return "sdp_offer";
  if (names == dialect::sdp_names && k == kind::answer) return "sdp_answer";
  for (const auto& [name, other] : names_in)
    if (other == k) return name;
  return {};
}

bool valid_peer_id(std::string_view id) noexcept {
  return !id.empty() && id.size() <= 128 && std::all_of(id.begin(), id.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

base::result<message> parse(std::string_view text) {
  if (text.size() > largest_message) return base::fail(errc::too_large, largest_message, "at most 256 KiB");
  auto v = base::json::parse(text);
  if (!v) return base::fail(v.error());
  if (!v->is_object()) return base::fail(errc::not_an_object);
  auto type = text_field(*v, "type");
  auto peer = text_field(*v, "peer_id");
  auto target = text_field(*v, "target_id");
  for (auto* field : {&type, &peer, &target})
    if (!*field) return base::fail(field->error());
  if (type->empty()) return base::fail(errc::no_type);
  if (peer->empty()) return base::fail(errc::no_peer_id);
  message m;
  m.what = kind_of(*type).value_or(kind::other);
  m.names = type->starts_with("sdp_") ? dialect::sdp_names : dialect::plain;
  m.type = std::move(*type);
  m.peer_id = std::move(*peer);
  m.target_id = std::move(*target);
  if (const auto* payload = v->find("payload")) m.payload = *payload;
  return m;
}

std::string format(const message& m, dialect names) {
  base::json v;
  v.set("type", m.what == kind::other ? std::string_view(m.type) : name_of(m.what, names));
  v.set("peer_id", m.peer_id);
  if (!m.target_id.empty()) v.set("target_id", m.target_id);
  v.set("payload", m.payload);
  return v.dump();
}

std::string_view sdp_of(const base::json& payload) noexcept {
  const auto* sdp = payload.find("sdp");
  if (sdp == nullptr) return {};
  if (const auto* s = sdp->as_string()) return *s;
  return sdp->text("sdp");
}

std::optional<candidate_payload> candidate_of(const base::json& payload) {
  const auto* inner = payload.find("candidate");
  if (inner == nullptr) return std::nullopt;
  const base::json& holder = inner->is_object() ? *inner : payload;
  candidate_payload c;
  if (const auto* text = holder.find("candidate"); text != nullptr && !text->is_null()) {
    if (text->as_string() == nullptr) return std::nullopt;
    c.candidate = *text->as_string();
  }
  c.mid = holder.text("sdpMid");
  c.ufrag = holder.text("usernameFragment");
  if (const auto* index = holder.find("sdpMLineIndex")) c.line_index = index->as_int().value_or(0);
  return c;
}

base::json to_payload(const candidate_payload& c) {
  base::json v;
  v.set("candidate", c.candidate);
  v.set("sdpMid", c.mid);
  v.set("sdpMLineIndex", c.line_index);
  if (!c.ufrag.empty()) v.set("usernameFragment", c.ufrag);
  return v;
}

}  // namespace strata::signaling
