// What waits for one peer, and what became of it. Rules only; the caller owns the clock, the store and the paths:
//
//   accept           A message from a program.
//   unsaved, saved   What the store must hold now. Commit it, then say so. Nothing is sent that is not stored first, if it
//                    is to be stored at all. A caller without a store says saved() at once.
//   next             The next frame to send on the path in use, until there is none. Small messages come before pieces of
//                    large ones.
//   on_ack           An ack of the peer's.
//   take_outcomes    What became of messages. Tell the programs BEFORE committing the next save: killed in between, the
//                    message is sent again, acknowledged again and told again; the other order could lose the outcome.
//   go_again         The path died, or another tier is used from now on: what is unacknowledged is sent again.
//   tick             At next_wakeup(): deadlines, and what stayed without an ack.
//
// Guarantee, with a store that keeps what it has committed: a durable message that was accepted reaches its peer's program
// once and in the order of its stream, or the program is told that it did not (refused, expired) or may not have (unknown,
// or expired with `may_have_arrived`), whatever is killed when. A message that is not durable has the same guarantee until
// this process ends. A store that is set back to an older state breaks it: sequences would be used twice. So does a wall
// clock that is set back while this process is away, for what expired before it was sent.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/time.hpp"
#include "mesh/frame.hpp"
#include "store/change.hpp"
#include "store/files.hpp"

namespace strata::mesh {

inline constexpr std::string_view outbox_table = "outbox";

struct outbox_limits {
  std::size_t octets = 64u << 20;       // of all that waits, counted by cost_of()
  std::size_t streams = 256;            // ever used in an epoch
  std::uint32_t small_message = 16384;  // octets up to which a message goes before pieces of larger ones
  unsigned small_in_a_row = 32;         // then one piece of a large one, if there is any
  // Sequences of a stream are reserved in blocks, so that a message that is not durable costs no commit. After a restart the
  // rest of a block is void: what was used of it is not known.
  std::uint64_t block = 1024;
};

struct submission {
  message_id id;             // fresh and random
  std::uint32_t stream = 0;  // messages of a stream arrive in their order
  urgency how = urgency::normal;
  bool durable = true, binary = false;
  std::optional<base::duration> time_left;
  base::bytes octets;
};

enum class refusal : std::uint8_t { too_large, full, too_many_streams, out_of_time, id_in_use };
std::string_view reason(refusal r) noexcept;  // a sentence for a person

struct outcome {
  message_id id;
  fate what = fate::unknown;
  std::string why;                // for refused
  bool may_have_arrived = false;  // expired or cancelled here after it was sent
  friend bool operator==(const outcome&, const outcome&) = default;
};

struct path_terms {
  std::size_t piece_octets = 16384;
  base::duration resend_after = std::chrono::seconds(2);  // without progress; doubled each time, to 32 times
  bool large = true;                                      // also pieces of large messages: their channel has room
};

struct sending {
  base::bytes octets;  // a frame
  bool large = false;  // belongs on the channel for large messages
};

struct outbox_counters {
  std::uint64_t accepted = 0, delivered = 0, refused = 0, expired = 0, unknown = 0, frames = 0, sent_again = 0, bad_acks = 0;
};

class outbox {
 public:
  // `epoch` is random; it names the numbering of messages that begins here, unless load() finds an older one.
  outbox(std::string peer, std::uint64_t epoch, outbox_limits limits = {});

  // Peers for which the store holds an outbox, from all records of the table.
  static std::vector<std::string> peers_in(const std::vector<store::record>& records);
  // Takes what belongs to this peer from all records of the table. Before anything else.
  [[nodiscard]] store::told<void> load(const std::vector<store::record>& records, base::instant now, base::wall_time wall);

  [[nodiscard]] tl::expected<void, refusal> accept(submission s, base::instant now, base::wall_time wall);
  // The program wants it no more. The outcome "expired" follows once the store knows; false: the message is not known (any
  // more).
  bool cancel(const message_id& id);
  [[nodiscard]] bool has(const message_id& id) const { return by_id_.contains(id); }

  // Nothing while a save is under way, which ends in one of the other two.
  [[nodiscard]] store::changes unsaved();
  std::vector<message_id> saved();  // the durable ones that are safe now: their programs may be told
  void not_saved();                 // the commit failed: the next save holds it again

  [[nodiscard]] std::optional<sending> next(base::instant now, const path_terms& p);
  void on_ack(const ack_frame& a, base::instant now);
  void on_hello(const hello_frame& h, base::instant now);  // the peer's: its incarnation and its window
  void go_again(base::instant now);
  void tick(base::instant now);
  // What became of messages since the last call, to tell the programs.
  [[nodiscard]] std::vector<outcome> take_outcomes() { return std::exchange(outcomes_, {}); }

  // To be sent first on every new path; `incarnation` and `window` are those of our inbox for this peer.
  [[nodiscard]] hello_frame hello(std::uint64_t incarnation, std::uint32_t window) const {
    return {epoch_, incarnation, window};
  }
  // True once after a time in which everything sent had arrived but nothing was settled: send a hello, which asks for acks.
  [[nodiscard]] bool take_question() noexcept { return std::exchange(ask_, false); }

  [[nodiscard]] base::instant next_wakeup() const;  // base::never: none
  // Since when something that was sent waits to be heard of: what tier_choice calls traffic without an answer.
  [[nodiscard]] std::optional<base::instant> unanswered_since() const { return unanswered_; }
  [[nodiscard]] bool empty() const noexcept { return by_id_.empty(); }
  [[nodiscard]] std::size_t waiting() const noexcept { return by_id_.size(); }
  [[nodiscard]] std::size_t octets() const noexcept { return octets_; }
  [[nodiscard]] std::uint64_t epoch() const noexcept { return epoch_; }
  [[nodiscard]] const outbox_counters& counters() const noexcept { return counters_; }

 private:
  struct entry {
    message_id id;
    urgency how = urgency::normal;
    bool durable = false, binary = false;
    bool ready = false;     // stored, or need not be
    bool recorded = false;  // a save named it
    bool started = false;   // counts in the peer's window
    bool perhaps_sent = false;
    base::instant deadline = base::never;
    std::uint64_t wall_deadline = 0;  // of durable ones, in milliseconds of the wall clock; 0: none
    std::uint64_t order = 0;          // among all streams
    base::bytes octets;
  };
  using live_messages = std::map<std::uint64_t, entry>;
  struct stream_state {
    live_messages live;       // what is not here and below `next` is void or settled
    std::uint64_t acked = 0;  // all below are settled at the receiver
    std::uint64_t next = 0;
    std::uint64_t reserved = 0, reserved_saved = 0;  // sequences below may be used; the store says so
    std::uint64_t send_at = 0;                       // the live ones below are sent, since the last time that all went again
    std::uint32_t send_offset = 0;                   // of the message at send_at
    std::uint64_t sent_end = 0;                      // of what was ever sent
    std::vector<range> held;                         // arrived whole, says the latest ack
    std::optional<std::uint64_t> void_at;            // cancels are due for the gaps from here on
    bool tell_floor = false;                         // the receiver keeps fates that we know
    std::set<std::uint64_t> leaving;                 // settled, but the store does not know yet: the floor must not pass them
    std::uint64_t pass = 0;                          // how much of its large messages was sent, weighted
    base::instant resend_at = base::never;
    unsigned tries = 0;
    bool dirty = false;  // its record is out of date
  };
  struct place {
    std::uint32_t stream = 0;
    std::uint64_t sequence = 0;
  };
  struct pending_save {
    bool epoch = false;
    std::vector<place> stored, erased;
    std::vector<place> reserved;  // stream, end of what is reserved
    std::vector<outcome> cancelled;
  };

  [[nodiscard]] static std::uint64_t floor_of(const stream_state& s);
  [[nodiscard]] static live_messages::iterator first_missing(stream_state& s, std::uint64_t from);
  [[nodiscard]] static bool has_gaps(const stream_state& s);
  [[nodiscard]] static bool outstanding(const stream_state& s);
  [[nodiscard]] bool large(const entry& e) const noexcept { return e.octets.size() > limits_.small_message; }
  [[nodiscard]] bool fits(const entry& e) const noexcept;
  std::optional<sending> next_cancel(base::instant now);
  std::optional<sending> next_floor();
  sending send_piece(std::uint32_t stream, stream_state& s, live_messages::iterator at, base::instant now, const path_terms& p);
  void start_timer(stream_state& s, base::instant now) const;
  void settle(std::uint32_t stream, stream_state& s, live_messages::iterator at);
  outcome give_up(std::uint32_t stream, stream_state& s, live_messages::iterator at);
  void acknowledge(std::uint32_t stream, stream_state& s, const stream_ack& a, bool newest, base::instant now);
  bool receiver_is(std::uint64_t incarnation, std::uint32_t window, base::instant now);  // false: it was, and is no more
  static void make_void(stream_state& s, std::uint64_t sequence);
  void tell(outcome o);
  void invariant() const;
  // outbox_records.cpp
  [[nodiscard]] static std::string encode_epoch(std::uint64_t epoch);
  [[nodiscard]] static std::string encode_stream(std::uint64_t reserved, std::uint64_t acked);
  [[nodiscard]] static std::string encode_message(const entry& e);
  [[nodiscard]] std::string epoch_name() const;
  [[nodiscard]] std::string stream_name(std::uint32_t stream) const;
  [[nodiscard]] std::string message_name(place p) const;
  [[nodiscard]] bool load_stream(std::uint32_t stream, std::string_view value);
  [[nodiscard]] bool load_message(place p, std::string_view value, base::instant now, base::wall_time wall);

  std::string peer_;
  std::uint64_t epoch_;
  outbox_limits limits_;
  std::map<std::uint32_t, stream_state> streams_;
  std::map<message_id, place> by_id_;
  std::set<std::pair<base::instant, message_id>> deadlines_;
  std::size_t octets_ = 0;
  std::uint64_t next_order_ = 0;
  // Sending
  unsigned small_run_ = 0;
  std::uint64_t turn_ = 0;  // the pass of the large message that was sent last
  std::size_t small_in_flight_ = 0, large_in_flight_ = 0;
  std::optional<base::instant> unanswered_;
  base::duration resend_after_ = std::chrono::seconds(2);
  bool ask_ = false;
  // The receiver
  std::optional<std::uint64_t> incarnation_;
  std::vector<std::uint64_t> earlier_incarnations_;
  std::optional<std::uint32_t> ack_number_;
  std::size_t window_ = std::size_t{1} << 20;  // until the peer has named its own
  // Saves
  bool epoch_named_ = false;  // in a save
  std::vector<place> to_store_, to_erase_;
  std::optional<pending_save> saving_;
  std::vector<outcome> outcomes_, cancelled_;  // cancelled: to be told when it is saved
  outbox_counters counters_;
};

}  // namespace strata::mesh
