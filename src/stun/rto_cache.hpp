// The retransmission time-out learned for each server (RFC 8489 §6.2.1): RFC 6298 with milliseconds kept, remembered by IP
// address and forgotten after ten minutes without a transaction. Bounded: the address unused for longest makes room.
#pragma once

#include <cstddef>
#include <map>

#include "base/ip_address.hpp"
#include "base/time.hpp"

namespace strata::stun {

class rto_cache {
 public:
  explicit rto_cache(base::duration initial = std::chrono::milliseconds(500), std::size_t capacity = 256)
      : initial_(initial), capacity_(capacity) {}

  // The value to start a transaction with. Counts as use.
  [[nodiscard]] base::duration rto(const base::ip_address& server, base::instant now);
  // A round trip that was measured on a transaction sent once only: after a retransmission nobody can tell which copy was
  // answered (Karn's algorithm).
  void sample(const base::ip_address& server, base::duration round_trip, base::instant now);
  [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }

  static constexpr base::duration lifetime = std::chrono::minutes(10);

 private:
  struct entry {
    base::duration smoothed{}, variation{};
    base::instant last_used{};
  };
  void forget(base::instant now);

  base::duration initial_;
  std::size_t capacity_;
  std::map<base::ip_address, entry> entries_;
};

}  // namespace strata::stun
