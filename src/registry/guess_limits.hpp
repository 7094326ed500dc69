// How often somebody may try a code, a key or a token that turns out to be wrong. Pure: time is an argument.
//
// Two bounds over one sliding window: for each address, and for everybody together, because who has a thousand addresses has a
// thousand times the tries. What is remembered is bounded by the second.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>

#include "base/ip_address.hpp"
#include "base/time.hpp"

namespace strata::registry {

struct guess_limit {
  std::size_t per_address;
  std::size_t total;
  base::duration window = std::chrono::seconds(60);
};
// Five a minute is what clients of this protocol know. A hundred live codes of six digits withstand sixty guesses a minute for
// hours, and what is found still waits for an admin; the eight characters of ours are never found.
inline constexpr guess_limit code_guesses{5, 60};
// Peers behind one NAT share an address, and a wrong key in one configuration must not lock the others out.
inline constexpr guess_limit token_guesses{30, 600};

class guess_limits {
 public:
  static constexpr std::size_t most_vouched = 4096;
  static constexpr auto vouched_for = std::chrono::hours(1);

  explicit guess_limits(guess_limit l) : limit_(l) {}

  // Nothing: go on. Else how long to wait, at least a second. Costs no try, so it is asked before the secret is looked at, and
  // after the form of the request was found good.
  [[nodiscard]] std::optional<base::duration> wait(const base::ip_address& from, base::instant now);
  // The try was wrong. (For codes, where each one counts, right or wrong.)
  void count(const base::ip_address& from, base::instant now);
  // It was right: for an hour the address is not stopped by what others do, only by its own tries. So a flood of wrong tokens
  // from everywhere does not keep out the peers that are known.
  void vouch(const base::ip_address& from, base::instant now);

  [[nodiscard]] std::size_t addresses() const noexcept { return tries_.size() + vouched_.size(); }

 private:
  using source = base::ip_address;
  // One subscriber has at least a /64 of IPv6 (RFC 6177), so the lower half of an address is the guesser's to choose.
  static source source_of(const base::ip_address& a) noexcept;
  void forget(base::instant now);
  [[nodiscard]] bool is_vouched(const source& s, base::instant now) const;

  struct try_ {
    source from;
    base::instant at;
    bool shared;  // counts against everybody's bound
  };
  guess_limit limit_;
  std::deque<try_> log_;  // oldest first
  std::map<source, std::deque<base::instant>> tries_;
  std::map<source, base::instant> vouched_;  // until when
  std::size_t shared_ = 0;                   // how many in the log are
};

}  // namespace strata::registry
