#include "mesh/message.hpp"

namespace strata::mesh {
namespace {

class category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "mesh"; }
  std::string message(int value) const override {
    switch (static_cast<errc>(value)) {
      case errc::not_an_object: return "not a JSON object";
      case errc::no_type: return "the message has no type";
      case errc::bad_field: return "a field has the wrong kind of value";
      case errc::line_too_long: return "the line is too long";
      case errc::unknown_command: return "the command is not known";
      case errc::no_target: return "the command names no target peer";
      case errc::not_connected: return "the peer is not connected";
      case errc::too_large: return "the message is too large";
      case errc::queue_full: return "the queue is full";
    }
    return "unknown error";
  }
};

}  // namespace

std::error_code make_error_code(errc e) noexcept {
  static const category instance;
  return {static_cast<int>(e), instance};
}

base::result<message> message::from(const base::json& v) {
  if (!v.is_object()) return base::fail(errc::not_an_object);
  message m;
  const std::pair<const char*, std::string*> fields[] = {
      {"type", &m.type}, {"request_id", &m.request_id}, {"source_agent", &m.source_agent}, {"target_agent", &m.target_agent}};
  for (const auto& [name, into] : fields) {
    const auto* f = v.find(name);
    if (f == nullptr || f->is_null()) continue;
    if (f->as_string() == nullptr) return base::fail(errc::bad_field, base::error::nowhere, name);
    *into = *f->as_string();
  }
  if (m.type.empty()) return base::fail(errc::no_type);
  if (const auto* p = v.find("payload"); p != nullptr && !p->is_null()) m.payload = *p;
  return m;
}

base::json message::to_json() const {
  return base::json::make({{"type", type},
                           {"request_id", request_id},
                           {"source_agent", source_agent},
                           {"target_agent", target_agent},
                           {"payload", payload}});
}

message failure_response(const message& request, std::string_view why) {
  message m;
  m.type = "task_response";
  m.request_id = request.request_id;
  m.source_agent = request.target_agent;
  m.target_agent = request.source_agent;
  m.payload = base::json::make({{"error", why}});
  return m;
}

}  // namespace strata::mesh
