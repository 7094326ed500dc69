// An outbox and an inbox over a path that loses, repeats and reorders, with stores that commit late or not at all, programs
// that are slow, refuse or go away, and both processes killed at any moment. A ledger beside them knows what is true.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "delivery_store.hpp"
#include "mesh/inbox.hpp"
#include "mesh/outbox.hpp"

namespace delivery {

using namespace strata;

struct weather {
  bool alice_killed = true, bob_killed = true;
  bool bob_loses_store = false;
  unsigned loss_percent = 20, repeat_percent = 15;
};

class storm {
 public:
  storm(std::uint64_t seed, weather w);
  void rage(int steps);
  // Good weather: whatever is left must settle, moved by nothing but what the two ask to be woken for.
  void calm();

  [[nodiscard]] const std::string& wrong() const { return wrong_; }  // the first broken promise
  struct totals {
    std::size_t accepted = 0, told = 0, delivered = 0, unknown = 0, kills = 0;
  };
  [[nodiscard]] const totals& counted() const { return totals_; }

 private:
  struct fact {
    std::uint64_t number = 0;
    std::uint32_t stream = 0;
    bool durable = false, cancelled = false, has_deadline = false;
    bool safe = false;  // the program was told that it is stored
    bool lost = false;  // killed with Alice before it was stored
    std::size_t octets = 0;
    unsigned had = 0;  // how often Bob's program had it
    bool refused = false;
    unsigned bob_life = 0;    // when it was accepted
    unsigned alice_told = 0;  // her life when its outcome was told
    std::optional<mesh::outcome> told;
  };
  struct flying {
    bool to_bob = false;
    base::bytes frame;
  };

  std::uint64_t below(std::uint64_t n) { return random_() % n; }
  bool chance(unsigned percent) { return below(100) < percent; }
  void fail(const std::string& what, const fact* f = nullptr);
  [[nodiscard]] base::instant alice_now() const { return base::instant(now_ + alice_clock_); }
  [[nodiscard]] base::instant bob_now() const { return base::instant(now_ + bob_clock_); }

  void start_alice();
  void start_bob();
  void kill_alice();
  void kill_bob();
  void new_path();
  void submit();
  void cancel();
  void commit_alice(bool late);
  void commit_bob(bool late);
  void send(int most);
  void answer();
  void take();
  void program();
  void arrive();
  void deliver(const flying& f);
  void tick();
  void throw_on(bool to_bob, base::bytes frame);
  void listen();
  void had(const mesh::delivery& d);
  void told(const mesh::outcome& o);
  void bounds();
  static mesh::message_id id_of(std::uint64_t number);
  static base::bytes octets_of(std::uint64_t number, std::size_t size);

  std::mt19937_64 random_;
  weather weather_;
  bool calm_ = false;
  std::string wrong_;
  totals totals_;
  base::duration now_ = std::chrono::hours(1), alice_clock_{}, bob_clock_{};
  memory_store alice_store_, bob_store_;
  mesh::outbox_limits alice_limits_;
  mesh::inbox_limits bob_limits_;
  mesh::budget room_{60'000};
  std::size_t others_room_ = 0;  // what other peers' messages hold of it
  std::unique_ptr<mesh::outbox> alice_;
  std::unique_ptr<mesh::inbox> bob_;
  unsigned alice_life_ = 0, bob_life_ = 0, store_losses_ = 0;
  std::optional<store::changes> alice_commit_, bob_commit_;  // on their way to the disk
  mesh::path_terms terms_;
  std::vector<flying> air_;
  std::deque<mesh::delivery> hands_;  // taken for Bob's program, which did not have them yet
  std::map<mesh::message_id, fact> facts_;
  std::uint64_t next_number_ = 1;
  std::map<std::uint32_t, std::uint64_t> last_durable_, last_any_;
};

}  // namespace delivery
