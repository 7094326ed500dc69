#include "mesh/trust.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/base64.hpp"
#include "mesh/identity.hpp"
#include "signaling/message.hpp"

namespace strata::mesh {
namespace {

using namespace std::string_literals;

std::int64_t seconds_of(base::wall_time t) {
  return std::chrono::duration_cast<std::chrono::seconds>(t.time_since_epoch()).count();
}

constexpr std::int64_t latest = 9'000'000'000;  // the year 2255: what the nanoseconds of a wall_time hold

std::optional<pin> read_pin(std::string_view text) {
  const auto v = base::json::parse(text);
  if (!v || !v->is_object()) return std::nullopt;
  const auto octets = base::base64_decode(v->text("key"));
  if (!octets) return std::nullopt;
  const auto key = crypto::public_key::from(*octets);
  const auto* since = v->find("since");
  const auto* compared = v->find("compared");
  const auto alias = v->text("alias");
  if (!key || since == nullptr || since->as_int().value_or(-1) < 0 || *since->as_int() > latest || compared == nullptr ||
      !compared->as_bool())
    return std::nullopt;
  if (!alias.empty() && !signaling::valid_peer_id(alias)) return std::nullopt;
  return pin{*key, std::string(alias), base::wall_time(std::chrono::seconds(*since->as_int())), *compared->as_bool(), {}};
}

std::string digits_of(std::string_view text) {
  std::string digits;
  std::ranges::copy_if(text, std::back_inserter(digits), [](char c) { return c != ' ' && c != '-'; });
  return digits;
}

base::json as_json(const std::string& peer, const pin& p) {
  auto v = base::json::make({{"peer", peer},
                             {"alias", p.alias},
                             {"fingerprint", spoken_fingerprint(p.key)},
                             {"key", base::base64_encode(p.key.octets())},
                             {"since", seconds_of(p.since)},
                             {"compared", p.compared}});
  if (p.refused) v.set("refused", spoken_fingerprint(*p.refused));
  return v;
}

std::string unknown(std::string_view peer) { return "no key of '" + std::string(peer) + "' is known"; }

}  // namespace

store::told<void> trust::load(const std::vector<store::record>& records) {
  pins_.clear();
  aliases_.clear();
  for (const auto& r : records) {
    auto p = read_pin(r.value);
    if (!p || !signaling::valid_peer_id(r.name)) return tl::unexpected("the stored key of '" + r.name + "' cannot be read");
    if (!p->alias.empty()) aliases_.emplace(p->alias, r.name);
    pins_.emplace(r.name, std::move(*p));
  }
  return {};
}

const pin* trust::find(std::string_view peer) const {
  const auto at = pins_.find(peer);
  return at != pins_.end() ? &at->second : nullptr;
}

std::optional<crypto::public_key> trust::key_of(std::string_view peer) const {
  const auto* p = find(peer);
  return p != nullptr ? std::optional(p->key) : std::nullopt;
}

std::optional<std::string> trust::peer_named(std::string_view name) const {
  if (pins_.contains(name)) return std::string(name);
  const auto at = aliases_.find(name);
  return at != aliases_.end() ? std::optional(at->second) : std::nullopt;
}

bool trust::taken_by_another(std::string_view name, std::string_view peer) const {
  if (name.empty()) return false;
  if (name != peer && pins_.contains(name)) return true;
  const auto at = aliases_.find(name);
  return at != aliases_.end() && at->second != peer;
}

store::told<store::changes> trust::met(std::string_view peer, const crypto::public_key& key, std::string_view alias,
                                       base::wall_time now) {
  // Without this a registry could introduce a newcomer under the name by which programs know somebody else.
  if (taken_by_another(peer, peer))
    return tl::unexpected("'" + std::string(peer) + "' is the name of another peer whose key is known");
  const auto kept_alias = taken_by_another(alias, peer) ? std::string_view() : alias;
  auto at = pins_.find(peer);
  if (at == pins_.end()) {
    if (pins_.size() >= most_pins) return tl::unexpected("no more keys can be remembered: forget some"s);
    at = pins_.emplace(peer, pin{key, {}, now, false, {}}).first;
  } else if (at->second.key != key) {
    refused(peer, key);
    return tl::unexpected("the peer shows another key than the one that we know it by"s);
  } else if (kept_alias.empty() || kept_alias == at->second.alias) {
    return store::changes{};
  }
  if (!at->second.alias.empty() && !kept_alias.empty()) aliases_.erase(at->second.alias);
  if (!kept_alias.empty()) {
    at->second.alias = kept_alias;
    aliases_.insert_or_assign(at->second.alias, at->first);
  }
  return store::changes{written(at->first, at->second)};
}

void trust::refused(std::string_view peer, const crypto::public_key& key) {
  if (const auto at = pins_.find(peer); at != pins_.end() && at->second.key != key) at->second.refused = key;
}

store::told<store::changes> trust::accept(std::string_view peer, std::string_view fingerprint, base::wall_time now) {
  const auto at = pins_.find(peer);
  if (at == pins_.end()) return tl::unexpected(unknown(peer));
  auto& p = at->second;
  const auto meant = digits_of(fingerprint);
  const auto is_meant = [&](const crypto::public_key& k) { return meant.empty() || digits_of(spoken_fingerprint(k)) == meant; };
  if (p.refused && is_meant(*p.refused)) {
    p.key = *std::exchange(p.refused, std::nullopt);
    p.since = now;
  } else if (!is_meant(p.key)) {
    return tl::unexpected("'"s.append(peer).append("' has shown no key with this fingerprint"));
  }
  p.compared = true;
  return store::changes{written(at->first, p)};
}

store::told<store::changes> trust::forget(std::string_view peer) {
  const auto at = pins_.find(peer);
  if (at == pins_.end()) return tl::unexpected(unknown(peer));
  store::changes c{{std::string(table), at->first, std::nullopt}};
  if (!at->second.alias.empty()) aliases_.erase(at->second.alias);
  pins_.erase(at);
  return c;
}

base::json trust::list() const {
  base::json::array all;
  for (const auto& [peer, p] : pins_) all.push_back(as_json(peer, p));
  return all;
}

base::json trust::describe(std::string_view peer) const {
  const auto at = pins_.find(peer);
  return at != pins_.end() ? as_json(at->first, at->second) : base::json();
}

store::change trust::written(const std::string& peer, const pin& p) {
  const auto value = base::json::make({{"key", base::base64_encode(p.key.octets())},
                                       {"alias", p.alias},
                                       {"since", seconds_of(p.since)},
                                       {"compared", p.compared}});
  return {std::string(table), peer, value.dump()};
}

}  // namespace strata::mesh
