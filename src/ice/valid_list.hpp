// The valid list (RFC 8445 §7.2.5.3.2): pairs that a check has shown to work, and may carry data.
//
// Several candidates of ours can stand for one socket and one remote address. What matters for sending is the path, so
// there is one entry for each of these, whose local candidate is the mapped address of the last answer.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/endpoint.hpp"
#include "base/time.hpp"
#include "ice/pair.hpp"
#include "ice/path_quality.hpp"

namespace strata::ice {

struct valid_pair {
  pair_id checked;          // the pair whose check made this one
  candidate local, remote;  // local: the mapped address, base_address: where packets leave from
  std::uint64_t priority = 0;
  bool nominated = false;
  bool nominated_by_us = false;
  base::instant confirmed;  // the last authenticated answer: consent until some time after it (RFC 7675 §5.1)
  std::optional<base::duration> rtt{};
  path_quality quality{};
  std::uint32_t nomination = 0;  // with renomination the highest counts; all the same without
};

class valid_list {
 public:
  // A check succeeded. Keeps nomination when the path was known.
  valid_pair& add(valid_pair p);
  [[nodiscard]] valid_pair* find(const base::endpoint& base_address, const base::endpoint& remote) noexcept;
  [[nodiscard]] const valid_pair* find(const base::endpoint& base_address, const base::endpoint& remote) const noexcept;
  [[nodiscard]] std::span<const valid_pair> pairs() const noexcept { return pairs_; }  // best first
  [[nodiscard]] bool empty() const noexcept { return pairs_.empty(); }

  // RFC 8445 §8.1.1: of several nominated pairs the best; with renomination the one nominated last. Without any: the best valid
  // one, which §12.1 lets us use.
  [[nodiscard]] valid_pair* selected() noexcept;
  [[nodiscard]] bool any_nominated() const noexcept;

  void set_controlling(bool controlling);
  void remove(const base::endpoint& base_address, const base::endpoint& remote);
  std::vector<valid_pair> remove_silent_since(
      base::instant confirmed);  // the last answer is not younger; gives what was removed
  void remove_all_of(const base::endpoint& base_address);
  void clear() { pairs_.clear(); }

 private:
  void sort();
  std::vector<valid_pair> pairs_;
};

}  // namespace strata::ice
