// Every message between two programs, numbered for each direction: it arrives at most once, whole, and in order, or the
// program that sent it is told that it may not have. Rules only.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace strata::simulation {

class ledger {
 public:
  using peer = std::size_t;

  // Gives the number of the message.
  std::size_t sent(peer from, peer to);
  void arrived(peer from, peer to, std::size_t number, bool whole);
  // "This one may not have arrived." It may have: who hears nothing cannot know.
  void reported(peer from, peer to, std::size_t number);
  // The local connection of the program at p has ended: its sidecar died, and who knows what with it.
  void connection_ended(peer p);
  // The sidecar at p dies: what it had acknowledged may not have reached its program, which nobody can know; and of what had
  // reached it, the acknowledgement may have died with it, so that it comes again.
  void sidecar_died(peer p);

  [[nodiscard]] std::size_t arrivals(peer from, peer to) const;  // how many so far
  [[nodiscard]] bool has_arrived(peer from, peer to, std::size_t number) const;
  [[nodiscard]] bool is_excused(peer from, peer to, std::size_t number) const;  // it may not have arrived, as was said
  [[nodiscard]] bool settled() const;                                           // nothing is on its way
  [[nodiscard]] std::vector<std::string> outstanding() const;
  // The first rule that was broken; empty when none was.
  [[nodiscard]] const std::string& broken() const noexcept { return broken_; }

  struct totals {
    std::uint64_t sent = 0, arrived = 0, reported = 0;
  };
  [[nodiscard]] const totals& counted() const noexcept { return totals_; }

 private:
  struct entry {
    bool arrived = false, excused = false, may_repeat = false;
  };
  struct direction {
    std::vector<entry> messages;
    std::size_t arrived = 0;
    std::size_t next = 0;  // one more than the latest that arrived
  };
  void complain(std::string what);

  std::map<std::pair<peer, peer>, direction> directions_;
  totals totals_;
  std::string broken_;
};

}  // namespace strata::simulation
