// How often one source address may be answered: token buckets in a fixed table, so that a flood of forged addresses costs no
// memory. Addresses that meet in one bucket share it; the hash is seeded, so nobody can choose whom to meet.
#pragma once

#include <cstdint>
#include <vector>

#include "base/ip_address.hpp"
#include "base/time.hpp"

namespace strata::stun {

class rate_limiter {
 public:
  // `per_second` tokens, saved up to `burst`. 0 per second: everything is admitted.
  rate_limiter(std::uint64_t seed, unsigned per_second, unsigned burst, std::size_t slots = 4096);

  // IPv6 addresses count by their /64, which one subscriber has whole.
  [[nodiscard]] bool admit(const base::ip_address& source, base::instant now) noexcept;

 private:
  struct bucket {
    base::instant empty_until{};  // the time at which the tokens used so far would have been paid for
  };
  std::uint64_t seed_;
  base::duration price_, credit_;
  std::vector<bucket> buckets_;
};

}  // namespace strata::stun
