#include "turn/server/allocation_table.hpp"

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
  ++users_[user];
  auto& e = entries_[id];
  e.what = std::make_unique<allocation>(id, tuple, std::move(username), made_by);
  e.user = std::move(user);
  assert(invariant());
  return *e.what;
}

void allocation_table::remove(allocation_id id) {
  const auto at = entries_.find(id);
  if (at == entries_.end()) return;
  auto& e = at->second;
  schedule_.erase({e.scheduled, id});
  tuples_.erase(e.what->tuple());
  if (const auto u = users_.find(e.user); --u->second == 0) users_.erase(u);
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
  return at == users_.end() ? 0 : at->second;
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
