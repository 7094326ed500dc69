// What one peer sends us, until a program has it. Rules only; the caller owns the clock, the store and the paths:
//
//   on_data, on_cancel, on_hello   Frames of the peer's.
//   unsaved, saved                 What the store must hold now. Commit it, then say so.
//   take                           Messages to hand to programs now, in the order of their streams; finish() each.
//   acks                           When ack_due(): frames for the sender, also when nothing new came.
//
// A caller's turn is: unsaved(), commit, saved(), take(), hand over, finish(), and again while anything moves. A caller
// without a store says saved() at once.
//
// Guarantee, with a store that keeps what it has committed, for messages that their sender calls durable: unsaved() marks a
// message before take() gives it out, and an ack speaks of it only after what finish() said of it is saved. So what was
// acknowledged is never handed over again, and nothing is handed over twice, whatever is killed when. A message that was
// marked and not finished when this process was killed may have reached the program or not: it is not handed over again, and
// its sender gets the fate "unknown". One that was not marked yet is forgotten and comes again. Messages that are not durable
// cost no commit: they are handed over once while this process lives; what the sender did not know to be settled when it was
// killed, or what a slow path brings again, comes twice. So does any message without the store of before.
//
// The sender's restarts change nothing as long as its epoch stays. With a new epoch of its own it knows nothing of before:
// what is not handed over yet is forgotten here, and late frames of the old epoch are not taken.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/time.hpp"
#include "mesh/frame.hpp"
#include "mesh/pieces.hpp"
#include "store/change.hpp"
#include "store/files.hpp"

namespace strata::mesh {

inline constexpr std::string_view inbox_table = "inbox";

struct inbox_limits {
  std::uint32_t window = 34u << 20;    // octets of unsettled messages, counted by cost_of(): twice a large one
  std::size_t guaranteed = 64u << 10;  // octets that it takes whatever others hold
  std::size_t streams = 256;
  std::size_t gaps = 1024;  // void ranges of a stream
  std::size_t fates = 256;  // that a stream remembers until the sender knows them; then it hands over no more
  std::size_t marked = 64;  // messages of a stream that one save marks: so many may be "unknown" after a SIGKILL
  base::duration idle = std::chrono::seconds(60);  // a message without a new piece for so long is forgotten
};

struct delivery {
  std::uint64_t epoch = 0;
  std::uint32_t stream = 0;
  std::uint64_t sequence = 0;
  message_id id;
  urgency how = urgency::normal;
  bool durable = false, binary = false;
  base::bytes octets;
};
// May messages of this stream be handed over now? They wait otherwise.
using wanted = std::function<bool(std::uint32_t stream)>;

enum class taken : std::uint8_t { kept, duplicate, old_epoch, no_room, contradiction, too_many_streams };
std::string_view to_string(taken t) noexcept;

struct inbox_counters {
  std::uint64_t delivered = 0, duplicates = 0, no_room = 0, contradictions = 0, expired = 0, unknown = 0, idle = 0,
                pushed_out = 0;
};

class inbox {
 public:
  // `incarnation` is random, new for every process; `shared` outlives the inbox.
  inbox(std::string peer, std::uint64_t incarnation, budget& shared, inbox_limits limits = {});
  ~inbox();
  inbox(const inbox&) = delete;
  inbox& operator=(const inbox&) = delete;

  static std::vector<std::string> peers_in(const std::vector<store::record>& records);
  // Takes what belongs to this peer from all records of the table. Before anything else.
  [[nodiscard]] store::told<void> load(const std::vector<store::record>& records);

  taken on_data(const data_frame& f, base::instant now);
  taken on_cancel(const cancel_frame& f);
  void on_hello(const hello_frame& f);
  void tick(base::instant now);                                                  // at next_wakeup()
  [[nodiscard]] base::instant next_wakeup() const noexcept { return tick_at_; }  // base::never: none

  // Nothing while a save is under way, which ends in one of the other two.
  [[nodiscard]] store::changes unsaved(base::instant now, const wanted& may = {});
  void saved();
  void not_saved();  // the commit failed: the next save holds it again

  [[nodiscard]] std::vector<delivery> take(base::instant now, const wanted& may = {});
  // What became of one that was taken: delivered or refused. False: nobody waits for that any more.
  bool finish(const delivery& d, fate what, std::string_view why = {});
  // The program went away before it had it: it will be taken again. So must those of its stream behind it that were taken.
  bool put_back(delivery d);

  [[nodiscard]] bool ack_due() const noexcept { return ack_due_; }
  [[nodiscard]] std::vector<base::bytes> acks(std::size_t most_octets);

  [[nodiscard]] std::uint64_t incarnation() const noexcept { return incarnation_; }
  [[nodiscard]] std::uint32_t window() const noexcept { return limits_.window; }
  [[nodiscard]] std::size_t held() const noexcept { return held_; }  // octets that count, of messages that are not finished
  [[nodiscard]] const inbox_counters& counters() const noexcept { return counters_; }

 private:
  static constexpr std::uint64_t longest_walk = 4096;  // sequences between the settled and the marked

  enum class stage : std::uint8_t { partial, whole, handed, done };
  struct entry {
    stage at = stage::partial;
    message_id id;
    urgency how = urgency::normal;
    bool durable = false, binary = false;
    bool shared = false;  // its cost is taken from the shared budget
    std::size_t cost = 0;
    base::instant deadline = base::never, progress;
    assembly parts{0};
    base::bytes octets;
    fate what = fate::delivered;
    std::string why;
  };
  struct stream_state {
    std::uint64_t from = 0;                        // below, nothing is remembered
    std::uint64_t settled = 0;                     // all below are
    std::map<std::uint64_t, entry> open;           // at or above `settled`
    std::map<std::uint64_t, std::uint64_t> voids;  // first → end, behind `settled`, not touching
    std::map<std::uint64_t, other_fate> others;    // settled otherwise than by delivery, from `from` on
    std::deque<std::uint64_t> needs_save;          // settled, not to be acknowledged before it is saved; ascending
    std::uint64_t marked = 0, marked_saved = 0;    // the end of those that may be taken, as recorded and as stored
    bool dirty = false;
    bool ack_due = false;
  };
  struct pending_save {
    struct part {
      std::uint32_t stream;
      std::uint64_t settled, marked;
    };
    std::uint64_t epoch = 0;
    bool named_epoch = false;
    std::vector<part> parts;
  };

  bool adopt(std::uint64_t epoch);  // false: an old one
  stream_state* stream_of(std::uint32_t number, std::uint64_t floor);
  [[nodiscard]] static bool is_void(const stream_state& s, std::uint64_t sequence);
  bool make_void(stream_state& s, range r);
  void raise_floor(stream_state& s, std::uint64_t floor);
  void settle(stream_state& s);
  void expire(stream_state& s, entry& e);
  bool charge(entry& e);
  bool make_room(stream_state& s, entry& e);
  void release(entry& e);
  using step = std::function<bool(std::uint64_t sequence, entry& e)>;
  std::uint64_t walk(stream_state& s, base::instant now, const step& each);
  void mark(stream_state& s, base::instant now, bool wanted_now);
  [[nodiscard]] static std::uint64_t announced(const stream_state& s);
  [[nodiscard]] stream_ack ack_of(std::uint32_t number, const stream_state& s) const;
  void due(stream_state& s);
  void invariant() const;
  // inbox_records.cpp
  [[nodiscard]] std::string encode_epoch() const;
  bool decode_epoch(std::string_view value);
  [[nodiscard]] std::string encode_stream(const stream_state& s) const;
  bool decode_stream(std::uint32_t number, std::string_view value);

  std::string peer_;
  std::uint64_t incarnation_;
  budget& shared_;
  inbox_limits limits_;
  std::optional<std::uint64_t> epoch_;
  std::vector<std::uint64_t> earlier_epochs_;
  bool epoch_unsaved_ = false;
  std::map<std::uint32_t, stream_state> streams_;
  std::vector<std::uint32_t> forgotten_;  // streams of an earlier epoch that the store still holds
  std::size_t held_ = 0;
  base::instant tick_at_ = base::never;
  bool ack_due_ = false;
  std::uint32_t ack_number_ = 0;
  std::optional<pending_save> saving_;
  inbox_counters counters_;
};

}  // namespace strata::mesh
