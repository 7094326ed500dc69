#include "ice/port_table.hpp"

#include <algorithm>

#include "stun/attributes.hpp"
#include "stun/message_view.hpp"

namespace strata::ice {

base::result<port_table::sharer> port_table::add(std::string_view ufrag) {
  if (ufrag.empty()) return base::fail(base::errc::invalid, base::error::nowhere, "a username fragment");
  if (records_.size() >= limits_.sharers) return base::fail(base::errc::would_block);
  if (!by_ufrag_.emplace(ufrag, next_).second) return base::fail(base::errc::in_use);
  records_.emplace(next_, record{std::string(ufrag), {}, {}});
  return next_++;
}

void port_table::remove(sharer s) {
  const auto known = records_.find(s);
  if (known == records_.end()) return;
  for (const auto& id : known->second.transactions) transactions_.erase(id);
  by_ufrag_.erase(known->second.ufrag);
  const auto free = std::move(known->second.claims);
  records_.erase(known);
  for (const auto& remote : free) {
    const auto c = claims_.extract(remote).mapped();
    if (const auto heir = records_.find(c.heir); heir != records_.end()) stake(c.heir, heir->second, remote, false, c.used);
  }
}

void port_table::on_send(sharer from, const base::endpoint& to, base::byte_view payload, base::instant now) {
  const auto known = records_.find(from);
  if (known == records_.end() || payload.empty()) return;
  auto& r = known->second;
  if (payload[0] > 3) return stake(from, r, to, true, now);  // RFC 7983 §7
  const auto m = stun::message_view::parse(payload);
  if (!m) return;
  if (const auto held = claims_.find(to); held != claims_.end() && held->second.by == from) held->second.used = now;
  if (m->class_() == stun::message_class::request) remember(from, r, m->transaction_id(), now);
  else if (m->class_() == stun::message_class::success) stake(from, r, to, false, now);
}

void port_table::remember(sharer by, record& r, const stun::transaction_id& id, base::instant now) {
  if (!transactions_.emplace(id, asked{by, now}).second) return;  // sent again
  r.transactions.push_back(id);
  while (r.transactions.size() > limits_.transactions ||
         now - transactions_.at(r.transactions.front()).at > limits_.transaction_lifetime) {
    transactions_.erase(r.transactions.front());
    r.transactions.pop_front();
  }
}

void port_table::stake(sharer by, record& r, const base::endpoint& to, bool firm, base::instant now) {
  if (const auto held = claims_.find(to); held != claims_.end()) {
    auto& c = held->second;
    if (c.by != by) {
      if (!firm && now - c.used <= limits_.claim_rests) {
        c.heir = by;
        return;
      }
      std::erase(records_.at(c.by).claims, to);
      if (r.claims.size() >= limits_.claims) give_up_one(r);
      r.claims.push_back(to);
      c = {by, firm, now, c.by};
    }
    c.firm = c.firm || firm;
    c.used = now;
    return;
  }
  if (r.claims.size() >= limits_.claims) give_up_one(r);
  r.claims.push_back(to);
  claims_.emplace(to, claim{by, firm, now});
}

void port_table::give_up_one(record& r) {
  const auto worth = [&](const base::endpoint& e) {
    const auto& c = claims_.at(e);
    return std::pair(c.firm, c.used);
  };
  const auto least = std::ranges::min_element(r.claims, {}, worth);
  claims_.erase(*least);
  r.claims.erase(least);
}

port_table::verdict port_table::whose(const base::endpoint& from, base::byte_view payload, base::instant now) const {
  if (payload.empty()) return {.why_nobody = "an empty datagram"};
  if (payload[0] <= 3) {
    const auto m = stun::message_view::parse(payload);
    if (!m) return {.why_nobody = "not STUN"};
    if (m->is_response()) {
      const auto asked = transactions_.find(m->transaction_id());
      if (asked == transactions_.end() || now - asked->second.at > limits_.transaction_lifetime)
        return {.why_nobody = "a response that nobody waits for"};
      return {.whose = asked->second.by};
    }
    if (m->class_() == stun::message_class::request) {
      // Neither 400 nor 401 from here: whom it was for is not known, and silence makes nobody an amplifier.
      const auto username = m->get<stun::username>();
      if (!username) return {.why_nobody = "a request without USERNAME"};
      const auto known = by_ufrag_.find(std::string(username->text.substr(0, username->text.find(':'))));
      if (known == by_ufrag_.end()) return {.why_nobody = "a request for a fragment that nobody has"};
      return {.whose = known->second};
    }
  }
  const auto held = claims_.find(from);
  if (held == claims_.end()) return {.why_nobody = "from an address that nobody talks to"};
  return {.whose = held->second.by};
}

}  // namespace strata::ice
