// All allocations, by 5-tuple and by id, counted for each user, and in the order in which they end.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "turn/server/allocation.hpp"

namespace strata::turn::server {

class allocation_table {
 public:
  [[nodiscard]] allocation* find(const five_tuple& tuple);
  [[nodiscard]] allocation* find(allocation_id id);
  // `user`: whom it counts for. The 5-tuple must be free.
  allocation& add(const five_tuple& tuple, std::string username, std::string user, const stun::transaction_id& made_by);
  void remove(allocation_id id);
  // After its relays or their times have changed.
  void reschedule(const allocation& a);

  [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }
  [[nodiscard]] std::size_t of_user(std::string_view user) const;
  // Takes so many bytes from what the allocation's user may send in a second; false: there is not so much left.
  [[nodiscard]] bool spend(const allocation& a, std::size_t bytes, base::instant now, std::uint64_t per_second);
  [[nodiscard]] base::instant next_expiry() const;
  // Those of whom at least one relay has ended.
  [[nodiscard]] std::vector<allocation_id> due(base::instant now) const;
  [[nodiscard]] bool invariant() const;

 private:
  struct user_account {
    std::size_t allocations = 0;
    base::instant paid_until{};  // when the bytes sent so far would have been earned
  };
  using accounts = std::map<std::string, user_account, std::less<>>;
  struct entry {
    std::unique_ptr<allocation> what;
    accounts::iterator user;
    base::instant scheduled = base::never;
  };
  std::map<allocation_id, entry> entries_;
  std::map<five_tuple, allocation_id> tuples_;
  accounts users_;
  std::set<std::pair<base::instant, allocation_id>> schedule_;
  std::uint64_t next_ = 1;
};

}  // namespace strata::turn::server
