#include "registry/agents.hpp"

#include "registry/task.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>

namespace strata::registry {
namespace {

class category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "agents"; }
  std::string message(int value) const override {
    switch (static_cast<agents_errc>(value)) {
      case agents_errc::not_an_object: return "the body is not a JSON object";
      case agents_errc::missing_field: return "a required field is missing";
      case agents_errc::bad_field: return "a field has the wrong kind of value";
      case agents_errc::name_taken: return "the agent id belongs to another credential";
      case agents_errc::full: return "too many agents";
    }
    return "unknown error";
  }
};

constexpr std::size_t longest_text = 1024;
constexpr std::size_t most_skills = 256;

// Reads members of a JSON object into fields; the first wrong one is remembered, absent ones leave the field as it is.
class field_reader {
 public:
  explicit field_reader(const base::json& v) : value_(v) {
    if (!v.is_object()) trouble_ = base::error(agents_errc::not_an_object);
  }
  void text(const char* name, std::string& into) {
    if (const auto* f = value_.find(name)) {
      if (f->as_string() == nullptr || f->as_string()->size() > longest_text) return wrong(name);
      into = *f->as_string();
    }
  }
  void number(const char* name, std::int64_t& into, std::int64_t highest) {
    if (const auto* f = value_.find(name)) {
      const auto n = f->as_int();
      if (!f->is_number() || !n || *n < 0 || *n > highest) return wrong(name);
      into = *n;
    }
  }
  void texts(const char* name, std::vector<std::string>& into) {
    const auto* f = value_.find(name);
    if (f == nullptr) return;
    if (f->as_array() == nullptr || f->as_array()->size() > most_skills) return wrong(name);
    std::vector<std::string> all;
    for (const auto& item : *f->as_array()) {
      if (item.as_string() == nullptr || item.as_string()->size() > longest_text) return wrong(name);
      all.push_back(*item.as_string());
    }
    into = std::move(all);
  }
  void require(const std::string& field, const char* name) {
    if (field.empty() && !trouble_.code) trouble_ = base::error(agents_errc::missing_field, base::error::nowhere, name);
  }
  [[nodiscard]] base::result<void> done() const {
    if (trouble_.code) return base::fail(trouble_);
    return {};
  }

 private:
  void wrong(const char* name) {
    if (!trouble_.code) trouble_ = base::error(agents_errc::bad_field, base::error::nowhere, name);
  }
  const base::json& value_;
  base::error trouble_;
};

base::result<void> read_capabilities(const base::json& body, agent_info& info) {
  const auto* caps = body.find("capabilities");
  if (caps == nullptr) return {};
  field_reader r(*caps);
  r.texts("skills", info.skills);
  r.texts("mcp_servers", info.mcp_servers);
  r.number("goals_count", info.goals_count, UINT32_MAX);
  r.text("mode", info.capabilities_mode);
  return r.done();
}

base::json strings(const std::vector<std::string>& list) {
  base::json::array a;
  for (const auto& s : list) a.emplace_back(s);
  return a;
}

}  // namespace

std::error_code make_error_code(agents_errc e) noexcept {
  static const category instance;
  return {static_cast<int>(e), instance};
}

std::string_view to_string(health h) noexcept {
  return h == health::active ? "active" : h == health::stale ? "stale" : "offline";
}

std::string rfc3339(base::wall_time t) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(t);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:09}+00:00",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(
                         std::chrono::time_point_cast<std::chrono::system_clock::duration>(seconds))),
                     (t - seconds).count());
}

base::result<agent_record*> agents::claim(std::string_view agent_id, std::string_view owner, base::wall_time now) {
  if (const auto at = records_.find(agent_id); at != records_.end()) {
    if (at->second.owner != owner) return base::fail(agents_errc::name_taken);
    return &at->second;
  }
  if (records_.size() >= capacity_) return base::fail(agents_errc::full);
  if (agent_id.starts_with(mailbox_prefix)) return base::fail(agents_errc::name_taken);
  auto& record = records_[std::string(agent_id)];
  record.info.agent_id = agent_id;
  record.owner = owner;
  record.registered_at = now;
  return &record;
}

base::result<void> agents::register_agent(const base::json& body, std::string_view owner, base::wall_time now) {
  agent_info info;
  field_reader r(body);
  r.text("agent_id", info.agent_id);
  r.text("hostname", info.hostname);
  r.text("ip", info.ip);
  r.number("port", info.port, 65535);
  r.text("sidecar_peer_id", info.sidecar_peer_id);
  r.text("status", info.status);
  r.text("mode", info.mode);
  r.require(info.agent_id, "agent_id");
  r.require(info.hostname, "hostname");
  if (auto ok = r.done(); !ok) return ok;
  if (auto ok = read_capabilities(body, info); !ok) return ok;
  auto record = claim(info.agent_id, owner, now);
  if (!record) return base::fail(record.error());
  (*record)->info = std::move(info);
  (*record)->registered_at = (*record)->last_heartbeat = now;
  return {};
}

base::result<void> agents::heartbeat(const base::json& body, std::string_view owner, base::wall_time now) {
  // Read into a copy first: a bad field must not leave half a change behind.
  const auto known = records_.find(body.text("agent_id"));
  agent_info info = known != records_.end() ? known->second.info : agent_info();
  std::string sidecar;
  std::int64_t unused = 0;
  field_reader r(body);
  r.text("agent_id", info.agent_id);
  r.text("hostname", info.hostname);
  r.text("ip", info.ip);
  r.number("port", info.port, 65535);
  r.text("status", info.status);
  r.text("mode", info.mode);
  r.number("skills_count", unused, UINT32_MAX);
  r.number("goals_count", info.goals_count, UINT32_MAX);
  r.texts("skill_names", info.skills);
  r.text("sidecar_peer_id", sidecar);
  r.require(info.agent_id, "agent_id");
  if (auto ok = r.done(); !ok) return ok;
  if (!sidecar.empty()) info.sidecar_peer_id = sidecar;
  auto record = claim(info.agent_id, owner, now);
  if (!record) return base::fail(record.error());
  (*record)->info = std::move(info);
  (*record)->last_heartbeat = now;
  return {};
}

base::result<void> agents::remove(std::string_view agent_id, std::string_view owner) {
  const auto at = records_.find(agent_id);
  if (at == records_.end()) return base::fail(base::errc::not_found);
  if (at->second.owner != owner) return base::fail(agents_errc::name_taken);
  records_.erase(at);
  return {};
}

const agent_record* agents::find(std::string_view agent_id) const {
  const auto at = records_.find(agent_id);
  return at == records_.end() ? nullptr : &at->second;
}

const agent_record* agents::route(std::string_view skill, base::wall_time now) const {
  const agent_record* best = nullptr;
  for (const auto& [id, r] : records_) {
    const bool has = std::find(r.info.skills.begin(), r.info.skills.end(), skill) != r.info.skills.end();
    if (has && health_of(r, now) == health::active && (best == nullptr || r.last_heartbeat > best->last_heartbeat)) best = &r;
  }
  return best;
}

std::size_t agents::count(health h, base::wall_time now) const {
  return static_cast<std::size_t>(
      std::count_if(records_.begin(), records_.end(), [&](const auto& r) { return health_of(r.second, now) == h; }));
}

health agents::health_of(const agent_record& r, base::wall_time now) noexcept {
  const auto age = now - r.last_heartbeat;
  return age > offline_after ? health::offline : age > stale_after ? health::stale : health::active;
}

base::json agents::to_json(const agent_record& r, base::wall_time now) {
  const auto& i = r.info;
  return base::json::make({{"agent_id", i.agent_id},
                           {"hostname", i.hostname},
                           {"ip", i.ip},
                           {"port", i.port},
                           {"sidecar_peer_id", i.sidecar_peer_id},
                           {"status", i.status},
                           {"mode", i.mode},
                           {"capabilities", base::json::make({{"skills", strings(i.skills)},
                                                              {"mcp_servers", strings(i.mcp_servers)},
                                                              {"goals_count", i.goals_count},
                                                              {"mode", i.capabilities_mode}})},
                           {"health", to_string(health_of(r, now))},
                           {"registered_at", rfc3339(r.registered_at)},
                           {"last_heartbeat", rfc3339(r.last_heartbeat)}});
}

base::json agents::list(base::wall_time now) const {
  base::json::array all;
  for (const auto& [id, r] : records_) all.push_back(to_json(r, now));
  return all;
}

}  // namespace strata::registry
