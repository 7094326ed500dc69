#include "registry/audit.hpp"

#include <algorithm>
#include <utility>

#include "base/hex.hpp"
#include "base/json.hpp"
#include "base/utf8.hpp"

namespace strata::registry {
namespace {

constexpr std::string_view head_name = "head";  // after all numbers in the order of names
constexpr std::size_t digits = 20;              // of the largest number

std::string name_of(std::uint64_t number) {
  auto text = std::to_string(number);
  return std::string(digits - text.size(), '0') + text;
}

std::int64_t milliseconds(base::wall_time t) {
  return std::chrono::floor<std::chrono::milliseconds>(t).time_since_epoch().count();
}

// Lengths stand before texts, so that no two entries have the same form.
crypto::sha256_digest digest_of(const audit_entry& e) {
  base::bytes form;
  const auto number = [&](std::uint64_t n) {
    for (int shift = 56; shift >= 0; shift -= 8) form.push_back(static_cast<std::uint8_t>(n >> shift));
  };
  const auto text = [&](std::string_view t) {
    number(t.size());
    form.insert(form.end(), t.begin(), t.end());
  };
  text("strata audit entry 1");
  number(e.number);
  number(static_cast<std::uint64_t>(milliseconds(e.what.time)));
  for (const auto* t : {&e.what.who, &e.what.address, &e.what.event, &e.what.detail}) text(*t);
  form.insert(form.end(), e.previous.begin(), e.previous.end());
  return crypto::sha256(form);
}

std::string written(const audit_entry& e) {
  return base::json::make({{"number", e.number},
                           {"time_ms", milliseconds(e.what.time)},
                           {"who", e.what.who},
                           {"address", e.what.address},
                           {"event", e.what.event},
                           {"detail", e.what.detail},
                           {"previous", base::to_hex(e.previous)},
                           {"hash", base::to_hex(e.hash)}})
      .dump();
}

std::string written(const audit_head& h) {
  return base::json::make({{"number", h.number}, {"hash", base::to_hex(h.hash)}}).dump();
}

bool read_digest(const base::json& v, std::string_view name, crypto::sha256_digest& into) {
  const auto octets = base::from_hex(v.text(name));
  if (!octets || octets->size() != into.size()) return false;
  std::copy(octets->begin(), octets->end(), into.begin());
  return true;
}

std::optional<std::int64_t> read_number(const base::json& v, std::string_view name) {
  const auto* field = v.find(name);
  return field != nullptr ? field->as_int() : std::nullopt;
}

// Only what this program would have written itself is good: not another spelling of it either.
std::optional<audit_head> read_head(std::string_view value) {
  const auto v = base::json::parse(value);
  if (!v) return std::nullopt;
  audit_head h;
  const auto number = read_number(*v, "number");
  if (!number || *number < 1 || !read_digest(*v, "hash", h.hash)) return std::nullopt;
  h.number = static_cast<std::uint64_t>(*number);
  return written(h) == value ? std::optional(h) : std::nullopt;
}

std::string fit_for_a_log(std::string text) {
  if (text.size() > audit_log::longest_text) {
    text.resize(audit_log::longest_text);
    // A character that was cut in two goes.
    while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0xc0) == 0x80) text.pop_back();
    if (!text.empty() && static_cast<unsigned char>(text.back()) >= 0xc0) text.pop_back();
  }
  if (!base::is_utf8(base::as_bytes(text)))
    std::ranges::replace_if(text, [](char c) { return static_cast<unsigned char>(c) >= 0x80; }, '?');
  return text;
}

}  // namespace

store::changes audit_log::append(audit_event e) {
  auto out = std::exchange(owed_, {});
  if (out.size() >= most_owed) {
    ++uncounted_;
  } else {
    if (uncounted_ != 0) {
      const auto lost = std::to_string(std::exchange(uncounted_, 0));
      chain({e.time, {}, {}, "audit.gap", lost + " events could not be kept"}, out);
    }
    chain(std::move(e), out);
  }
  out.push_back({std::string(table), std::string(head_name), written(head_)});
  return out;
}

void audit_log::chain(audit_event e, store::changes& out) {
  audit_entry entry;
  entry.number = head_.number + 1;
  entry.what = {e.time, fit_for_a_log(std::move(e.who)), fit_for_a_log(std::move(e.address)), fit_for_a_log(std::move(e.event)),
                fit_for_a_log(std::move(e.detail))};
  entry.previous = head_.hash;
  entry.hash = digest_of(entry);
  head_ = {entry.number, entry.hash};
  out.push_back({std::string(table), name_of(entry.number), written(entry)});
}

void audit_log::give_back(const store::changes& c) {
  for (const auto& change : c)
    if (change.table == table && change.name != head_name) owed_.push_back(change);
}

std::optional<audit_entry> read_audit_entry(const store::record& r) {
  const auto v = base::json::parse(r.value);
  if (!v) return std::nullopt;
  audit_entry e;
  const auto number = read_number(*v, "number"), time = read_number(*v, "time_ms");
  constexpr std::int64_t farthest = INT64_MAX / 1'000'000;  // that fits into nanoseconds
  if (!number || *number < 1 || !time || *time > farthest || *time < -farthest) return std::nullopt;
  e.number = static_cast<std::uint64_t>(*number);
  e.what = {base::wall_time(std::chrono::milliseconds(*time)), std::string(v->text("who")), std::string(v->text("address")),
            std::string(v->text("event")), std::string(v->text("detail"))};
  if (!read_digest(*v, "previous", e.previous) || !read_digest(*v, "hash", e.hash)) return std::nullopt;
  if (r.name != name_of(e.number) || written(e) != r.value) return std::nullopt;
  return e;
}

audit_verdict verify(const std::vector<store::record>& records) {
  audit_verdict verdict;
  const auto broken = [&](std::uint64_t number, std::string why) {
    verdict.broken = {number, std::move(why)};
    return verdict;
  };
  std::optional<audit_head> head;
  for (const auto& r : records) {
    const auto expected = verdict.head.number + 1;
    const auto entry = "entry " + std::to_string(expected);
    if (head) return broken(expected, "a record stands after the head");
    if (r.name == head_name) {
      head = read_head(r.value);
      if (!head) return broken(0, "the head was changed");
      continue;
    }
    if (r.name != name_of(expected)) {
      const bool later = r.name.size() == digits && r.name > name_of(expected);
      return broken(expected, entry + (later ? " is missing" : " is not in its place"));
    }
    const auto e = read_audit_entry(r);
    if (!e || e->hash != digest_of(*e)) return broken(expected, entry + " was changed");
    if (e->previous != verdict.head.hash) return broken(expected, entry + " does not follow the one before it");
    verdict.head = {e->number, e->hash};
  }
  if (records.empty()) return verdict;
  if (!head) return broken(0, "the head is missing");
  if (head->number > verdict.head.number)
    return broken(verdict.head.number + 1, "the log was cut off: it had " + std::to_string(head->number) + " entries");
  if (*head != verdict.head) return broken(0, "the head is not of the last entry");
  return verdict;
}

std::string shortened(std::string_view secret) {
  std::string shown(secret.substr(0, std::min<std::size_t>(4, secret.size() / 4)));
  std::ranges::replace_if(shown, [](char c) { return c < 0x21 || c > 0x7e; }, '?');
  return shown + "...";
}

}  // namespace strata::registry
