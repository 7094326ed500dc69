#include "sctp/usrsctp_association.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

#include "sctp/packet.hpp"

namespace strata::sctp {
namespace {

constexpr std::size_t most_early_packets = 16;

}  // namespace

std::unique_ptr<association> make_usrsctp_association(net::host& host, association_config c,
                                                      association::transmit_function transmit, trace::tracer tracer) {
  return std::make_unique<usrsctp_association>(host, c, std::move(transmit), std::move(tracer));
}

usrsctp_association::usrsctp_association(net::host& host, const association_config& c, transmit_function transmit,
                                         trace::tracer tracer)
    : host_(host),
      config_(c),
      transmit_(std::move(transmit)),
      tracer_(std::move(tracer)),
      library_(usrsctp_library::instance()),
      reassembly_(c.max_message_size) {
  id_ = library_.enter(host_.loop(), *this);
  if (auto opened = usrsctp_socket::open(id_, config_)) socket_.emplace(std::move(*opened));
}

usrsctp_association::~usrsctp_association() {
  fail_waiting();
  library_.leave(id_);  // before the socket goes: what that still says reaches nobody
}

async::task<base::result<void>> usrsctp_association::connect() {
  if (state_ != state::idle) co_return base::fail(state_ == state::closed ? error_ : errc::connect_failed);
  library_.touch();
  set_state(state::connecting, "connect");
  if (!socket_ || !socket_->connect(id_, config_.remote_port)) {
    end(errc::connect_failed, "the library refused to connect");
    co_return base::fail(errc::connect_failed);
  }
  // RFC 9260 §5.2.1: the peer's INIT may have come first; it is answered all the same.
  for (const auto& packet : std::exchange(early_, {})) receive(packet);

  struct unless_up {
    usrsctp_association& self;
    ~unless_up() {
      if (self.state_ == state::connecting) self.end(errc::closed, "connect was cancelled");
    }
  } const guard{*this};
  while (state_ == state::connecting) co_await changed_.wait();
  if (state_ == state::closed) co_return base::fail(error_);
  co_return base::result<void>();
}

void usrsctp_association::receive(base::byte_view packet) {
  ++statistics_.packets_received;
  statistics_.bytes_received += packet.size();
  if (!checksum_is_right(packet)) return drop("wrong checksum, or no SCTP packet", packet.size());
  auto chunks = chunks_of(packet);
  const auto first = take_chunk(chunks);
  if (!first) return drop("no chunk in the packet", packet.size());
  if (state_ == state::closed) return drop("the association is closed", packet.size());
  if (state_ == state::idle) {
    if (early_.size() >= most_early_packets) return drop("too many packets before connect", packet.size());
    early_.push_back(base::to_bytes(packet));
    return;
  }
  silent_since_ = host_.now();
  // Heartbeats must not keep the quick clock of an idle process alive.
  library_.touch(first->type != chunk_type::heartbeat && first->type != chunk_type::heartbeat_ack);
  if (!early_reset_.concerns(packet)) {
    usrsctp_library::packet_arrives(id_, packet);
  } else if (const auto rest = early_reset_.hold_back(packet); rest.size() > common_header_size) {
    usrsctp_library::packet_arrives(id_, rest);
  }
  library_.want_turn(id_);
}

void usrsctp_association::transmit_packet(base::byte_view packet) {
  ++statistics_.packets_sent;
  library_.want_turn(id_);
  statistics_.bytes_sent += packet.size();
  auto chunks = chunks_of(packet);
  while (const auto c = take_chunk(chunks)) {
    if (const auto cumulative = acknowledged_by(*c)) early_reset_.acknowledged(*cumulative);
    if (c->type == chunk_type::abort) own_abort_ = abort_cause(c->value);
    const auto tsn = tsn_of(*c);
    if (!tsn) continue;
    if (!highest_tsn_sent_ || tsn_after(*tsn, *highest_tsn_sent_)) highest_tsn_sent_ = tsn;
    else ++statistics_.chunks_retransmitted;
  }
  if (!transmit_(packet)) ++statistics_.not_transmitted;
}

void usrsctp_association::turn() {
  if (const auto packet = early_reset_.take(); packet && state_ != state::closed) usrsctp_library::packet_arrives(id_, *packet);
  read_all();
  if (socket_ && state_ != state::closed && outstanding_.held(socket_->held_for_sending())) acknowledged_.pulse();
  if (state_ == state::established || shutdown_asked_) {
    if (write_tail() && shutdown_asked_) {
      shutdown_asked_ = false;
      socket_->shut_down();
    }
    write_waiting();
    write_resets();
  }
  watch_silence();
  assert(invariant());
}

void usrsctp_association::watch_silence() {
  const bool expected = std::exchange(answer_due_, expects_answer());
  if (!answer_due_ || !expected) silent_since_ = host_.now();  // a quiet hour is no silence: nothing was owed
  if (host_.now() - silent_since_ < config_.silence_limit) return;
  if (socket_) socket_->abort("silence");
  end(errc::lost, "no sign of the peer");
}

void usrsctp_association::read_all() {
  // Data and events come in one queue, so that nothing overtakes anything; an association that is gone is read to its
  // end all the same, and then nothing more comes.
  while (socket_ && (reading_ || !socket_->alive())) {
    auto next = socket_->read();
    if (!next) return;
    if (auto* piece = std::get_if<reassembly::piece>(&*next)) on_piece(*piece);
    else on_notification(std::move(std::get<notification>(*next)));
  }
}

void usrsctp_association::on_piece(const reassembly::piece& p) {
  auto [what, message] = reassembly_.add(p);
  if (what == reassembly::outcome::too_large) {
    drop("message above the agreed size", p.data.size());
    if (on_too_large) on_too_large(p.stream);
  }
  if (!message) return;
  ++statistics_.messages_received;
  if (on_message) on_message(std::move(*message));
}

void usrsctp_association::on_notification(notification n) {
  struct {
    usrsctp_association& self;
    void operator()(const association_up& up) {
      if (self.state_ != state::connecting) return;
      self.statistics_.streams_out = up.streams_out;
      self.statistics_.streams_in = up.streams_in;
      self.set_state(state::established, "COOKIE handshake done");
    }
    void operator()(const association_over& over) {
      const auto because = [](std::string what, const std::string& cause) {
        return cause.empty() ? what : what + " (" + cause + ')';
      };
      if (over.by_abort) return self.end(errc::aborted, because("the peer sent ABORT", over.cause));
      if (self.state_ == state::connecting) return self.end(errc::connect_failed, because("no association", self.own_abort_));
      self.end(errc::lost, because("no answer to retransmissions, or the peer broke the protocol", self.own_abort_));
    }
    void operator()(association_restarted) {
      // RFC 8261 knows no restart inside one DTLS association: both ends would disagree about every stream.
      self.socket_->abort("restart inside DTLS");
      self.end(errc::aborted, "the peer restarted the association");
    }
    void operator()(peer_shuts_down) {
      if (self.state_ == state::established) self.set_state(state::shutting_down, "the peer sent SHUTDOWN");
      self.fail_waiting();
    }
    void operator()(shutdown_complete) {
      self.outstanding_.held(0);  // RFC 9260 §9.2: SHUTDOWN follows the last acknowledgement
      self.end(errc::closed, "SHUTDOWN complete");
    }
    void operator()(stream_reset_done& done) { self.on_reset(std::move(done)); }
    void operator()(delivery_aborted aborted) { self.reassembly_.abandon(aborted.stream); }
  } visitor{*this};
  std::visit(visitor, n);
}

void usrsctp_association::set_reading(bool on) {
  reading_ = on;
  if (on) library_.want_turn(id_);
}

void usrsctp_association::close() {
  switch (state_) {
    case state::idle:
    case state::connecting: return end(errc::closed, "closed here");
    case state::established:
      set_state(state::shutting_down, "closed here");
      fail_waiting();
      shutdown_asked_ = true;
      library_.touch();
      library_.want_turn(id_);
      return;
    case state::shutting_down:
    case state::closed: return;
  }
}

async::task<> usrsctp_association::shutdown() {
  close();
  co_await closed();
}

void usrsctp_association::abort(std::string_view why) {
  if (state_ == state::closed) return;
  if (socket_ && state_ != state::idle) socket_->abort(why);
  end(errc::closed, "aborted here: " + std::string(why));
}

async::task<> usrsctp_association::closed() {
  while (state_ != state::closed) co_await changed_.wait();
}

void usrsctp_association::end(errc why, std::string reason) {
  if (state_ == state::closed) return;
  error_ = why;
  shutdown_asked_ = false;
  if (tail_) outstanding_.sent(tail_->message.stream, tail_size());
  tail_.reset();
  to_reset_.clear();
  resetting_.clear();
  early_.clear();
  set_state(state::closed, std::move(reason));
  fail_waiting();
  // What is outstanding stays so: the user may want to know what was not acknowledged.
  // The socket stays until the association goes: end() may be called from inside its reading loop.
}

void usrsctp_association::fail_waiting() {
  const auto code = state_ == state::closed ? error_ : errc::closed;
  for (auto* s : std::exchange(waiting_, {})) s->done(base::fail(code));
}

void usrsctp_association::set_state(sctp::state next, std::string reason) {
  if (next == state_) return;
  tracer_(host_.now(), trace::state_change{trace::layer::sctp, "association", to_string(state_), to_string(next), reason});
  state_ = next;
  reason_ = std::move(reason);
  changed_.pulse();
  acknowledged_.pulse();
  if (on_state) on_state();
}

void usrsctp_association::drop(std::string_view why, std::size_t size) {
  ++statistics_.dropped;
  tracer_(host_.now(), trace::drop{trace::layer::sctp, why, {}, size});
}

statistics usrsctp_association::stats() const {
  auto s = statistics_;
  if (socket_ && state_ != state::closed) socket_->measure(s);
  return s;
}

bool usrsctp_association::invariant() const noexcept {
  const bool over = state_ == state::closed;
  const bool up = state_ == state::established;
  return (waiting_.empty() || up) && (!tail_ || up || shutdown_asked_) && (!over || (to_reset_.empty() && early_.empty())) &&
         (early_.empty() || state_ == state::idle) && (!shutdown_asked_ || state_ == state::shutting_down);
}

}  // namespace strata::sctp
