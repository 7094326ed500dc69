#include "registry/keys.hpp"

#include <algorithm>
#include <tuple>

#include "base/hex.hpp"
#include "base/json.hpp"
#include "registry/stored.hpp"

namespace strata::registry {
namespace {

constexpr std::size_t shortest_api_key = 8, longest_api_key = 256;
constexpr std::size_t id_digits = 16;

class category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "api keys"; }
  std::string message(int value) const override {
    switch (static_cast<keys_errc>(value)) {
      case keys_errc::not_an_object: return "the key file is not a JSON object";
      case keys_errc::bad_entry: return "a key or its entry is wrong";
      case keys_errc::empty: return "the key file holds no keys";
      case keys_errc::ambiguous: return "the key file can be read in two ways";
      case keys_errc::exists: return "the key is there already, for another peer or role";
      case keys_errc::revoked: return "the key was revoked";
      case keys_errc::not_found: return "no such key";
      case keys_errc::full: return "too many keys";
    }
    return "unknown error";
  }
};

tl::unexpected<base::error> bad(std::string_view expected) {
  return base::fail(keys_errc::bad_entry, base::error::nowhere, expected);
}

base::result<void> check(std::string_view key, const identity& who) {
  if (key.size() < shortest_api_key || key.size() > longest_api_key) return bad("keys of 8 to 256 characters");
  // Anything else could not be sent in a header.
  if (!std::ranges::all_of(key, [](char c) { return c > 0x20 && c < 0x7f; })) return bad("keys of visible ASCII characters");
  if (!valid_member_id(who.peer_id)) return bad("a peer_id of 1-128 visible ASCII characters, not \"registry\"");
  return {};
}

bool has_duplicates(const base::json::object& members) {
  std::set<std::string_view> names;
  return !std::ranges::all_of(members, [&](const auto& m) { return names.insert(m.first).second; });
}

base::result<const base::json::object*> entries_of(const base::json& file) {
  const auto* whole = file.as_object();
  if (whole == nullptr)
    return base::fail(keys_errc::not_an_object, base::error::nowhere, "{\"keys\": {\"<key>\": {\"peer_id\", \"role\"}}}");
  const auto* wrapped = file.find("keys");
  if (wrapped == nullptr) return whole;
  if (wrapped->as_object() == nullptr)
    return base::fail(keys_errc::not_an_object, base::error::nowhere, "\"keys\" as an object");
  // Keys inside the wrapper and keys beside it: somebody merged two files, and half of them would be ignored.
  for (const auto& [name, value] : *whole)
    if (&value != wrapped && (name == "keys" || value.is_object()))
      return base::fail(keys_errc::ambiguous, base::error::nowhere, "all keys inside \"keys\", or no \"keys\" at all");
  return wrapped->as_object();
}

}  // namespace

std::error_code make_error_code(keys_errc e) noexcept {
  static const category instance;
  return {static_cast<int>(e), instance};
}

base::result<std::vector<key_entry>> parse_key_file(std::string_view text) {
  const auto file = base::json::parse(text);
  if (!file) return base::fail(file.error());
  const auto entries = entries_of(*file);
  if (!entries) return base::fail(entries.error());
  if ((*entries)->empty()) return base::fail(keys_errc::empty);
  if (has_duplicates(**entries)) return bad("each key once");
  std::vector<key_entry> all;
  for (const auto& [key, entry] : **entries) {
    if (entry.as_object() == nullptr || has_duplicates(*entry.as_object())) return bad("{\"peer_id\", \"role\"} for each key");
    const auto r = role_from_name(entry.text("role"));
    if (!r) return bad("a role: admin, agent or observer");
    key_entry e{key, {std::string(entry.text("peer_id")), *r}};
    if (const auto good = check(e.key, e.who); !good) return base::fail(good.error());
    all.push_back(std::move(e));
  }
  return all;
}

std::string keys::make_key(std::span<const std::uint8_t, 16> random) { return "ak_" + base::to_hex(random); }

key_view keys::view(const secret_digest& d, const kept& k) {
  return {base::to_hex(d).substr(0, id_digits), k.who, k.created, k.revoked};
}

store::change keys::change(const secret_digest& d, const kept& k) {
  auto v =
      base::json::make({{"peer_id", k.who.peer_id}, {"role", to_string(k.who.role)}, {"created", unix_seconds(k.created)}});
  if (k.revoked) v.set("revoked", unix_seconds(*k.revoked));
  return {std::string(table), base::to_hex(d), v.dump()};
}

const keys::kept& keys::insert(const secret_digest& d, kept k) {
  if (!k.revoked) peers_.insert(k.who.peer_id);
  return keys_.insert(d, std::move(k));
}

base::result<void> keys::load(std::span<const store::record> records) {
  keys fresh;
  for (const auto& r : records) {
    const auto digest = digest_from_hex(r.name);
    stored_reader v(r.value);
    kept k{{v.text("peer_id"), role::agent}, v.time("created"), v.time_if_there("revoked")};
    const auto named = role_from_name(v.text("role"));
    if (!digest || !named || !v.good() || fresh.keys_.find(*digest) != nullptr)
      return base::fail(stored_errc::damaged, base::error::nowhere, "an API key");
    k.who.role = *named;
    fresh.insert(*digest, std::move(k));
  }
  *this = std::move(fresh);
  return {};
}

base::result<keys::added> keys::add(std::string_view key, identity who, base::wall_time now) {
  if (const auto good = check(key, who); !good) return base::fail(good.error());
  if (keys_.size() >= most) return base::fail(keys_errc::full);
  const auto d = digest_of(key);
  if (const auto* known = keys_.find(d)) return base::fail(known->revoked ? keys_errc::revoked : keys_errc::exists);
  const auto& k = insert(d, {std::move(who), now, {}});
  return added{view(d, k), {change(d, k)}};
}

base::result<keys::imported> keys::import_file(std::string_view text, base::wall_time now) {
  auto entries = parse_key_file(text);
  if (!entries) return base::fail(entries.error());
  imported out;
  std::vector<std::pair<secret_digest, identity>> fresh;
  for (auto& [key, who] : *entries) {
    const auto d = digest_of(key);
    const auto* known = keys_.find(d);
    if (known == nullptr) fresh.emplace_back(d, std::move(who));
    else if (known->who != who) return base::fail(keys_errc::exists);
    else if (known->revoked) out.still_revoked.push_back(view(d, *known).id);
    else ++out.known;
  }
  if (keys_.size() + fresh.size() > most) return base::fail(keys_errc::full);
  out.added = fresh.size();
  for (auto& [d, who] : fresh) out.changes.push_back(change(d, insert(d, {std::move(who), now, {}})));
  return out;
}

base::result<keys::revocation> keys::revoke(std::string_view id_or_peer, base::wall_time now) {
  revocation out;
  keys_.each([&](const secret_digest& d, kept& k) {
    if (k.revoked || (k.who.peer_id != id_or_peer && view(d, k).id != id_or_peer)) return;
    k.revoked = now;
    peers_.erase(peers_.find(k.who.peer_id));
    if (!peers_.contains(k.who.peer_id)) out.peers_without_key.push_back(k.who.peer_id);
    out.keys.push_back(view(d, k));
    out.changes.push_back(change(d, k));
  });
  if (out.keys.empty()) return base::fail(keys_errc::not_found);
  return out;
}

const identity* keys::find(std::string_view key) const {
  const auto* k = keys_.find(digest_of(key));
  return k != nullptr && !k->revoked ? &k->who : nullptr;
}

std::vector<key_view> keys::list() const {
  std::vector<key_view> all;
  keys_.each([&](const secret_digest& d, const kept& k) { all.push_back(view(d, k)); });
  std::ranges::sort(all, {}, [](const key_view& k) { return std::tie(k.created, k.id); });
  return all;
}

}  // namespace strata::registry
