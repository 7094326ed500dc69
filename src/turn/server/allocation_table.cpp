#include "turn/server/allocation_table.hpp"

#include <algorithm>
#include <cassert>

namespace strata::turn::server {

allocation* allocation_table::find(const five_tuple& tuple) {
  const auto at = tuples_.find(tuple);
  return at == tuples_.end() ? nullptr : find(at->second);
}

allocation* allocation_table::find(allocation_id id) {
  const auto at = entries_.find(id);
  return at == entries_.end() ? nullptr : at->second.what.get();
}

allocation& allocation_table::add(const five_tuple& tuple, std::string username, std::string user,
                                  const stun::transaction_id& made_by) {
  const allocation_id id{next_++};
  [[maybe_unused]] const bool free = tuples_.emplace(tuple, id).second;
  assert(free);
  const auto account = users_.try_emplace(std::move(user)).first;
  ++account->second.allocations;
  auto& e = entries_[id];
  e.what = std::make_unique<allocation>(id, tuple, std::move(username), made_by);
  e.user = account;
  assert(invariant());
  return *e.what;
}

void allocation_table::remove(allocation_id id) {
  const auto at = entries_.find(id);
  if (at == entries_.end()) return;
  auto& e = at->second;
  schedule_.erase({e.scheduled, id});
  tuples_.erase(e.what->tuple());
  if (--e.user->second.allocations == 0) users_.erase(e.user);
  entries_.erase(at);
  assert(invariant());
}

void allocation_table::reschedule(const allocation& a) {
  auto& e = entries_.at(a.id());
  schedule_.erase({e.scheduled, a.id()});
  e.scheduled = a.first_expiry();
  if (e.scheduled != base::never) schedule_.emplace(e.scheduled, a.id());
}

std::size_t allocation_table::of_user(std::string_view user) const {
  const auto at = users_.find(user);
  return at == users_.end() ? 0 : at->second.allocations;
}

bool allocation_table::spend(const allocation& a, std::size_t bytes, base::instant now, std::uint64_t per_second) {
  if (per_second == 0) return true;
  auto& paid = entries_.at(a.id()).user->second.paid_until;
  const auto price = base::duration(static_cast<std::int64_t>(bytes * 1'000'000'000 / per_second));
  const auto after = std::max(paid, now) + price;
  if (after > now + std::chrono::seconds(1)) return false;
  paid = after;
  return true;
}

base::instant allocation_table::next_expiry() const { return schedule_.empty() ? base::never : schedule_.begin()->first; }

std::vector<allocation_id> allocation_table::due(base::instant now) const {
  std::vector<allocation_id> list;
  for (auto at = schedule_.begin(); at != schedule_.end() && at->first <= now; ++at) list.push_back(at->second);
  return list;
}

bool allocation_table::invariant() const {
  return tuples_.size() == entries_.size() && schedule_.size() <= entries_.size() && users_.size() <= entries_.size();
}

}  // namespace strata::turn::server
