#include "mesh/peer_rules.hpp"

#include <algorithm>

#include "signaling/message.hpp"

namespace strata::mesh {
namespace {

constexpr std::string_view sidecar_suffix = "-sidecar";

bool fits(std::string_view pattern, std::string_view name) {
  if (pattern.ends_with('*')) return name.starts_with(pattern.substr(0, pattern.size() - 1));
  return pattern == name;
}

bool any_fits(const std::vector<std::string>& patterns, std::string_view name) {
  return std::ranges::any_of(patterns, [&](const auto& p) { return fits(p, name); });
}

store::told<std::vector<std::string>> read_patterns(const base::json& v, const std::string& where) {
  if (v.as_array() == nullptr) return tl::unexpected(where + ": a list of names is wanted");
  std::vector<std::string> all;
  for (const auto& p : *v.as_array()) {
    if (p.as_string() == nullptr || p.as_string()->empty() || p.as_string()->find('*') < p.as_string()->size() - 1)
      return tl::unexpected(where + ": a name, or the beginning of one with a '*' behind it, is wanted");
    all.push_back(*p.as_string());
  }
  return all;
}

}  // namespace

store::told<peer_rules::rule> peer_rules::parse_rule(const base::json& v, std::string_view whose) {
  const auto where = std::string(whose);
  if (v.as_object() == nullptr) return tl::unexpected(where + ": an object is wanted");
  rule r;
  for (const auto& [name, value] : *v.as_object()) {
    const auto here = where + "." + name;
    if (name == "verified_only") {
      if (!value.as_bool()) return tl::unexpected(here + ": true or false is wanted");
      r.verified_only = *value.as_bool();
      continue;
    }
    auto list = read_patterns(value, here);
    if (name == "types" || name == "skills") {
      if (!list) return tl::unexpected(list.error());
      (name == "types" ? r.types : r.skills) = std::move(*list);
    } else if (name == "not_types" || name == "not_skills") {
      if (!list) return tl::unexpected(list.error());
      (name == "not_types" ? r.not_types : r.not_skills) = std::move(*list);
    } else {
      return tl::unexpected(here + ": there is no such setting (types, not_types, skills, not_skills, verified_only)");
    }
  }
  return r;
}

store::told<peer_rules> peer_rules::parse(std::string_view text) {
  const auto v = base::json::parse(text);
  if (!v) return tl::unexpected(v.error().message());
  if (v->as_object() == nullptr) return tl::unexpected(std::string("an object is wanted"));
  peer_rules all;
  for (const auto& [name, value] : *v->as_object()) {
    if (name == "everyone") {
      auto r = parse_rule(value, name);
      if (!r) return tl::unexpected(r.error());
      all.everyone_ = std::move(*r);
    } else if (name == "peers") {
      if (value.as_object() == nullptr) return tl::unexpected(std::string("peers: an object is wanted"));
      for (const auto& [peer, of_peer] : *value.as_object()) {
        if (!signaling::valid_peer_id(peer)) return tl::unexpected("peers." + peer + ": this is no peer id");
        auto r = parse_rule(of_peer, "peers." + peer);
        if (!r) return tl::unexpected(r.error());
        if (!all.peers_.emplace(peer, std::move(*r)).second) return tl::unexpected("peers." + peer + ": named twice");
      }
    } else if (name == "most_hops") {
      if (value.as_int().value_or(-1) < 0) return tl::unexpected(std::string("most_hops: a number from 0 on is wanted"));
      all.most_hops_ = *value.as_int();
    } else {
      return tl::unexpected(name + ": there is no such setting (everyone, peers, most_hops)");
    }
  }
  return all;
}

const peer_rules::rule& peer_rules::rule_for(const sender& from) const {
  if (const auto at = peers_.find(from.peer); at != peers_.end()) return at->second;
  if (const auto at = peers_.find(from.alias); at != peers_.end()) return at->second;
  return everyone_;
}

bool peer_rules::too_far(const message& m) const {
  const auto* hops = m.payload.find("hops");
  if (hops == nullptr || hops->is_null()) return false;
  const auto n = hops->as_int();
  return !n || *n < 0 || *n > most_hops_;
}

std::optional<std::string> peer_rules::refuses(const sender& from, const message& m) const {
  if (m.is_response()) return std::nullopt;
  const auto& r = rule_for(from);
  if (r.verified_only && !from.verified) return "the rules here take nothing from a peer that is not verified by its key";
  if (any_fits(r.not_types, m.type) || (r.types && !any_fits(*r.types, m.type)))
    return "the rules here do not let this peer send '" + m.type.substr(0, 64) + "'";
  if (m.type != "task_request") return std::nullopt;
  const auto skill = m.payload.text("skill");
  if (any_fits(r.not_skills, skill) || (r.skills && !any_fits(*r.skills, skill)))
    return "the rules here do not let this peer use the skill '" + std::string(skill.substr(0, 64)) + "'";
  if (too_far(m)) return "the request has come through too many agents";
  return std::nullopt;
}

store::told<void> peer_rules::count_hop(message& m) const {
  if (m.type != "task_request") return {};
  const auto* hops = m.payload.find("hops");
  if (hops == nullptr || hops->is_null()) return {};
  if (too_far(m) || *hops->as_int() == most_hops_)
    return tl::unexpected(std::string("the request has come through too many agents"));
  m.payload.set("hops", *hops->as_int() + 1);
  return {};
}

std::string verified_source(std::string_view claimed, std::string_view peer, std::string_view alias) {
  const auto agent = alias.ends_with(sidecar_suffix) ? alias.substr(0, alias.size() - sidecar_suffix.size()) : alias;
  if (!claimed.empty() && (claimed == peer || claimed == alias || claimed == agent)) return std::string(claimed);
  return std::string(agent.empty() ? peer : agent);
}

}  // namespace strata::mesh
