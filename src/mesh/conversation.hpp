// All that is under way between us and one peer of ours that speaks frames, on whichever tier works: the direct channel, the
// same channel through a relay, or the registry's task queue.
//
//   run()           the turns that outbox and inbox ask for: what has to be stored is stored, what has arrived is handed over,
//                   what time brings is done, and letters go out while the queue is the tier in use.
//   carry(...)      while the link's two channels are open: frames out and in.
//   mail_arrived()  frames of a letter.
//
// Who sends does not choose a tier. Everything that is not acknowledged goes again by the next one when the one in use dies.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "async/async.hpp"
#include "base/json.hpp"
#include "datachannel/channel.hpp"
#include "mesh/inbox.hpp"
#include "mesh/link.hpp"
#include "mesh/outbox.hpp"
#include "mesh/tier_choice.hpp"
#include "net/host.hpp"
#include "store/store.hpp"
#include "trace/sink.hpp"

namespace strata::mesh {

struct handed_over {
  fate what = fate::delivered;
  std::string why;  // for refused
};

struct conversation_environment {
  net::host& host;
  trace::tracer tracer;
  store::engine* store = nullptr;  // without one nothing outlives the process
  budget& incoming;
  // To the programs; waits for room there.
  std::function<async::task<handed_over>(std::string peer, delivery d)> hand_over;
  std::function<void(std::string_view peer, const outcome&)> on_outcome;
  std::function<link_facts(std::string_view peer)> link;  // as it is now
  std::function<void(std::string_view peer)> want_link;   // something waits and there is none
  std::function<bool(std::string_view peer)> can_mail;    // the registry is there, and so is the peer at it
  // A letter into the peer's mailbox. False: the registry did not take it.
  std::function<async::task<bool>(std::string peer, std::vector<base::bytes> frames)> mail;
};

class conversation {
 public:
  using channel_pointer = std::shared_ptr<datachannel::channel>;

  conversation(conversation_environment& e, std::string peer);

  // What the stores of an earlier process hold, before run().
  [[nodiscard]] store::told<void> load(const std::vector<store::record>& outgoing, const std::vector<store::record>& incoming);

  async::task<> run();  // until cancelled
  async::task<> carry(channel_pointer small, channel_pointer bulk);

  // At once, or not at all.
  [[nodiscard]] tl::expected<void, refusal> accept(submission s);
  // The same, for a program that may have to wait: while the link is open and enough is under way. A peer that takes nothing
  // gets an error at once from then on, so that it cannot hold up what the program has for others.
  [[nodiscard]] async::task<tl::expected<void, refusal>> submit(submission s);
  bool cancel(const message_id& id);  // its outcome follows; false: it is not known (any more)
  void mail_arrived(std::span<const base::bytes> frames);
  void look_again();  // the link, the registry or the peer's presence there has changed

  [[nodiscard]] const std::string& peer() const noexcept { return peer_; }
  [[nodiscard]] tier in_use() const noexcept { return choice_.now_on(); }
  [[nodiscard]] std::size_t waiting() const noexcept { return outbox_.waiting(); }
  [[nodiscard]] base::json status() const;

 private:
  async::task<> keep();
  async::task<bool> commit(store::changes c);
  async::task<> hand_over();
  async::task<> write_letters();
  async::task<> watch_time();
  async::task<> send_small(datachannel::channel& small, datachannel::channel& bulk);
  async::task<> send_bulk(datachannel::channel& small, datachannel::channel& bulk);
  async::task<> receive(datachannel::channel& c);
  async::task<bool> send(datachannel::channel& c, base::bytes frame);
  std::vector<base::bytes> next_letter();
  void take(base::byte_view frame, bool by_mail);
  base::instant choose();
  [[nodiscard]] base::bytes greeting() const;
  void wake();
  void tell_outcomes();

  conversation_environment& environment_;
  std::string peer_;
  outbox outbox_;
  inbox inbox_;
  tier_choice choice_;
  bool link_open_ = false;
  std::uint64_t connections_ = 0;
  base::instant opened_{}, heard_on_link_{};
  std::optional<base::instant> letter_;  // when one brought data last
  bool answer_by_mail_ = false;          // the latest data came in a letter
  bool greeting_due_ = false;            // in the next letter
  bool probe_due_ = false;               // on the channel that is not used
  bool stuck_ = false;                   // somebody has waited in vain for room
  async::event room_;                    // pulsed
  std::deque<delivery> arrived_;
  async::event turn_due_, arrived_due_, small_due_, bulk_due_, letters_due_, time_due_;
  std::uint64_t letters_sent_ = 0, letters_refused_ = 0, bad_frames_ = 0;
};

}  // namespace strata::mesh
