// The association over usrsctp. Three things happen to it: packets come in, the user calls, and the loop gives it a turn
// (after either, and while it waits for time to pass). A turn reads what there is, then writes what there is room for.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "async/event.hpp"
#include "async/fiber.hpp"
#include "sctp/association.hpp"
#include "sctp/early_reset.hpp"
#include "sctp/outstanding.hpp"
#include "sctp/reassembly.hpp"
#include "sctp/usrsctp_library.hpp"
#include "sctp/usrsctp_socket.hpp"

namespace strata::sctp {

class usrsctp_association final : public association, private usrsctp_library::member {
 public:
  usrsctp_association(net::host& host, const association_config& c, transmit_function transmit, trace::tracer tracer);
  ~usrsctp_association() override;

  async::task<base::result<void>> connect() override;
  void receive(base::byte_view packet) override;
  async::task<base::result<void>> send(message_out m) override;
  base::result<void> try_send(message_out m) override;
  [[nodiscard]] std::size_t buffered_bytes() const override { return outstanding_.total().octets + tail_size(); }
  [[nodiscard]] std::size_t buffered_bytes(stream_id s) const override;
  async::task<> drained(stream_id s) override;
  void reset_streams(std::span<const stream_id> streams) override;
  void set_reading(bool on) override;
  void set_max_message_size(std::size_t inbound) override { reassembly_.set_limit(inbound); }
  void close() override;
  async::task<> shutdown() override;
  void abort(std::string_view why) override;
  async::task<> closed() override;
  [[nodiscard]] sctp::state current_state() const noexcept override { return state_; }
  [[nodiscard]] const std::string& reason() const noexcept override { return reason_; }
  [[nodiscard]] base::error error() const noexcept override {
    return state_ == sctp::state::closed && error_ != errc::closed ? base::error(error_) : base::error();
  }
  [[nodiscard]] statistics stats() const override;
  [[nodiscard]] bool invariant() const noexcept;

 private:
  // A sender that waits for room. The turn writes for it, so that nobody can come in between.
  class send_await final : public async::leaf {
   public:
    send_await(usrsctp_association& a, const message_out& m) : association_(a), message_(m) {}
    base::result<void> await_resume() const { return outcome_; }

   private:
    friend class usrsctp_association;
    bool ready() override;
    void start() override { association_.waiting_.push_back(this); }
    void request_cancel() noexcept override;
    [[nodiscard]] std::string_view what() const noexcept override { return "room in the association"; }
    void done(base::result<void> r) {
      outcome_ = std::move(r);
      complete();
    }
    usrsctp_association& association_;
    message_out message_;
    base::result<void> outcome_;
  };
  struct tail {  // what did not fit of a message whose beginning was taken
    message_out message;
    base::bytes data;
    std::size_t taken = 0;
  };

  // member
  void transmit_packet(base::byte_view packet) override;
  void turn() override;
  [[nodiscard]] bool busy() const override {
    return state_ == sctp::state::connecting || expects_answer() || tail_ || !to_reset_.empty();
  }
  [[nodiscard]] bool expects_answer() const {
    return state_ == sctp::state::shutting_down ||
           (state_ == sctp::state::established && (outstanding_.total().octets != 0 || !resetting_.empty()));
  }

  [[nodiscard]] std::optional<base::error> objection(const message_out& m) const;
  [[nodiscard]] bool has_room(const message_out& m) const;
  [[nodiscard]] bool stream_has_room(const message_out& m) const;
  // Nothing: no room after all.
  [[nodiscard]] std::optional<base::result<void>> write(const message_out& m);
  [[nodiscard]] bool write_tail();
  [[nodiscard]] std::size_t tail_size() const noexcept { return tail_ ? tail_->data.size() - tail_->taken : 0; }
  void write_waiting();
  void write_resets();
  void on_reset(stream_reset_done done);
  void read_all();
  void on_piece(const reassembly::piece& p);
  void on_notification(notification n);
  void fail_waiting();
  void end(errc why, std::string reason);
  void set_state(sctp::state next, std::string reason);
  void watch_silence();
  void drop(std::string_view why, std::size_t size);

  net::host& host_;
  association_config config_;
  transmit_function transmit_;
  trace::tracer tracer_;
  usrsctp_library& library_;
  usrsctp_library::id id_ = 0;
  std::optional<usrsctp_socket> socket_;  // none when it could not be opened, and after the end
  sctp::state state_ = sctp::state::idle;
  std::string reason_;
  errc error_ = errc::closed;  // what operations on the closed association answer
  async::event changed_;       // pulsed at every change of state
  async::event acknowledged_;  // pulsed when outstanding_ shrinks

  std::vector<base::bytes> early_;  // packets from before connect()
  early_reset early_reset_;
  reassembly reassembly_;
  bool reading_ = true;

  std::deque<send_await*> waiting_;
  std::optional<tail> tail_;
  outstanding outstanding_;
  struct reset_plan {
    base::instant asked;
    base::instant not_before;
    int failures = 0;
  };
  std::map<stream_id, reset_plan> to_reset_;   // the engine has not been asked yet, or said no
  std::map<stream_id, reset_plan> resetting_;  // it is at work
  bool shutdown_asked_ = false;                // but the tail is not out yet

  statistics statistics_;
  bool answer_due_ = false;
  base::instant silent_since_{};  // the peer's last sign, or when it began to owe us one
  std::optional<std::uint32_t> highest_tsn_sent_;
  std::string own_abort_;  // the cause of an ABORT that the engine sent
};

}  // namespace strata::sctp
