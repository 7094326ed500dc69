// The check list of the session's one data stream: formed, pruned, ordered, limited (RFC 8445 §6.1.2), extended by
// trickled candidates (RFC 8838 §10–12), with its triggered-check queue (RFC 8445 §6.1.4.1).
//
// Pairs are known by their id; references to them last until the next change of the list.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/endpoint.hpp"
#include "ice/pair.hpp"

namespace strata::ice {

class check_list {
 public:
  explicit check_list(std::size_t limit, bool controlling) : limit_(limit), controlling_(controlling) {}

  // RFC 8445 §6.1.2.2–6.1.2.6: all pairs of both sides at once; one Waiting for each foundation, the rest Frozen.
  void form(std::span<const candidate> local, std::span<const candidate> remote);
  // RFC 8838 §10–12: one more pair. Nothing when it is redundant, or worse than everything in a full list. A local
  // candidate that is not a host counts as its base, which is paired already: that is redundancy, too.
  std::optional<pair_id> add(const candidate& local, const candidate& remote);
  // RFC 8445 §7.3.1.4: the pair of an incoming check, Waiting at once. Only a full list of better pairs says no.
  std::optional<pair_id> add_triggered(const candidate& local, const candidate& remote);

  [[nodiscard]] std::span<const candidate_pair> pairs() const noexcept { return pairs_; }  // best first
  [[nodiscard]] candidate_pair* find(pair_id id) noexcept;
  [[nodiscard]] candidate_pair* find(const base::endpoint& base_address, const base::endpoint& remote) noexcept;
  [[nodiscard]] std::size_t count(pair_state s) const noexcept;
  [[nodiscard]] std::size_t unfinished() const noexcept;  // Frozen, Waiting or In-Progress

  void set_state(candidate_pair& p, pair_state s) noexcept;
  // RFC 8445 §7.2.5.3.3: Frozen pairs of this foundation become Waiting.
  void unfreeze(std::string_view pair_foundation);
  // RFC 8445 §7.2.5.1, §7.3.1.1: priorities depend on who controls.
  void set_controlling(bool controlling);
  // RFC 8838 §11: what was found as peer-reflexive is now signaled; the priority that its checks carried stays.
  void adopt_signaled(const candidate& remote);

  struct triggered_check {
    pair_id pair;
    bool nominate = false;
  };
  void trigger(candidate_pair& p, bool nominate = false);  // FIFO; once for each pair
  std::optional<triggered_check> pop_triggered();
  [[nodiscard]] std::size_t triggered() const noexcept { return triggered_.size(); }

  // RFC 8445 §8.1.2: pairs that need no check any more, and those in the queue. What is in progress, succeeded or failed
  // stays for the record. `below`: only those with a lower priority.
  void remove_unchecked(std::uint64_t below = UINT64_MAX);
  void fail_all_of(const base::endpoint& base_address, std::string_view outcome);  // its socket is gone

  void invariant() const;

 private:
  candidate_pair& insert(const candidate& local, const candidate& remote);
  bool make_room(std::uint64_t for_priority);
  void remove(pair_id id);
  void sort();

  std::size_t limit_;
  bool controlling_;
  std::uint32_t next_id_ = 1;
  std::vector<candidate_pair> pairs_;
  std::deque<triggered_check> triggered_;
};

}  // namespace strata::ice
