#include "http/websocket.hpp"

#include <algorithm>
#include <cassert>

#include "base/utf8.hpp"
#include "http/stream_reader.hpp"

namespace strata::http {
namespace {

std::size_t weight(const websocket_message& m) noexcept { return m.data.size() + sizeof m; }

}  // namespace

std::string_view to_string(websocket_state s) noexcept {
  switch (s) {
    case websocket_state::open: return "open";
    case websocket_state::closing: return "closing";
    case websocket_state::closed: return "closed";
  }
  return "?";
}

websocket::websocket(net::host& h, std::unique_ptr<net::stream> s, base::bytes already_read, websocket_role own_role,
                     websocket_options o, trace::tracer t)
    : host_(h),
      stream_(std::move(s)),
      role_(own_role),
      options_(o),
      tracer_(std::move(t)),
      local_(stream_->local_endpoint()),
      remote_(stream_->remote_endpoint()),
      reader_(own_role, o.max_message),
      inbox_(o.inbox_bytes, weight),
      last_heard_(h.now()) {
  reader_.feed(already_read);
}

websocket::~websocket() = default;

// However run() ends, cancellation included, nobody may go on waiting for this socket.
struct websocket::end_guard {
  websocket& ws;
  ~end_guard() {
    ws.stream_->close();
    ws.note_end(static_cast<std::uint16_t>(http::close_code::abnormal), "the socket was given up");
    ws.set_state(websocket_state::closed, ws.close_reason_.empty() ? "closed" : ws.close_reason_);
    ws.outbox_.clear();
    ws.outbox_bytes_ = 0;
    ws.inbox_.close();
    ws.outbox_room_.pulse();
    ws.close_left_.set();
    ws.ended_.set();
    ws.invariant();
  }
};

async::task<> websocket::run() {
  if (state_ == websocket_state::closed) co_return;
  const end_guard guard{*this};
  co_await async::first_of(converse(), limit_closing(), keep_alive());
  co_await part();
}

async::task<> websocket::converse() {
  co_await async::with_scope(async::at_end::cancel, [this](async::scope& s) -> async::task<> {
    s.spawn("websocket writer", [this] { return write(); });
    co_await read();
    if (close_queued_ && !lost_) co_await close_left_.wait();
  });
}

async::task<> websocket::read() {
  // Most sockets are silent most of the time: only one that is busy gets much room.
  constexpr std::size_t least_piece = 512, most_piece = 16 * 1024;
  base::bytes piece(least_piece);
  for (;;) {
    while (auto e = reader_.next()) {
      const bool more = co_await handle(std::move(*e));
      if (!more) co_return;
    }
    last_heard_ = host_.now();
    reading_ = true;
    const auto n = co_await stream_->read(piece);
    reading_ = false;
    if (!n || *n == 0) {
      lost_ = true;
      note_end(static_cast<std::uint16_t>(http::close_code::abnormal),
               n ? "the connection ended without a Close" : n.error().message());
      co_return;
    }
    reader_.feed(base::byte_view(piece).first(*n));
    if (*n == piece.size() && *n < most_piece) piece = base::bytes(4 * *n);
    else if (*n < least_piece && piece.size() > least_piece) piece = base::bytes(least_piece);
  }
}

// False: nothing that comes after this is read.
async::task<bool> websocket::handle(websocket_event e) {
  using kind = websocket_event::kind;
  switch (e.what) {
    case kind::text:
    case kind::binary: {
      ++counters_.received;
      counters_.received_bytes += e.data.size();
      if (state_ != websocket_state::open) co_return true;  // we said Close; what still comes is dropped
      websocket_message m{std::move(e.data), e.what == kind::text};
      co_await inbox_.send(std::move(m));
      co_return true;
    }
    case kind::ping:
      // RFC 6455 §5.5.2: answered unless a Close was received, with the same data.
      pong_ = frame(opcode::pong, base::as_bytes(e.data));
      outbox_work_.pulse();
      co_return true;
    case kind::pong: co_return true;
    case kind::close:
      close_received_ = true;
      note_end(e.code, e.data);
      // RFC 6455 §5.5.1: answered with the same code. What was queued is dropped: the peer said that it stops.
      queue_close(e.code, {}, true);
      co_return false;
    case kind::violation:
      tracer_(host_.now(), trace::drop{trace::layer::http, e.data, remote_, 0});
      note_end(e.code, e.data);
      queue_close(e.code, e.data, true);
      co_return false;
  }
  co_return false;
}

async::task<> websocket::write() {
  constexpr std::size_t batch_bytes = 64 * 1024;  // many small frames leave in one write
  for (;;) {
    base::bytes batch;
    std::size_t data = 0;
    bool last = false;
    for (auto* control : {&pong_, &ping_}) {
      if (*control) base::append(batch, **control);
      control->reset();
    }
    while (!outbox_.empty() && (batch.empty() || batch.size() + outbox_.front().size() <= batch_bytes)) {
      data += outbox_.front().size();
      if (batch.empty()) batch = std::move(outbox_.front());
      else base::append(batch, outbox_.front());
      outbox_.pop_front();
    }
    if (outbox_.empty() && close_frame_) {
      base::append(batch, *close_frame_);
      close_frame_.reset();
      last = true;
    }
    if (batch.empty()) {
      co_await outbox_work_.wait();
      continue;
    }
    const auto written = co_await stream_->write(batch);
    outbox_bytes_ -= std::min(outbox_bytes_, data);
    outbox_room_.pulse();
    if (!written) {
      lost_ = true;
      note_end(static_cast<std::uint16_t>(http::close_code::abnormal), written.error().message());
      stream_->close();  // wakes the reader
      close_left_.set();
      co_return;
    }
    counters_.sent_bytes += batch.size();
    if (last) {
      close_left_.set();
      co_return;  // RFC 6455 §5.5.1: nothing after a Close
    }
  }
}

// Returns when the peer is dead.
async::task<> websocket::keep_alive() {
  if (options_.ping_every <= base::duration::zero()) co_await ended_.wait();
  const auto doubt = [](async::event& doubted) -> async::task<> { co_await doubted.wait(); };
  auto pause = options_.ping_every;
  for (;;) {
    const bool doubted = (co_await async::with_timeout(pause, doubt(doubted_))).has_value();
    const auto asked = host_.now();
    if (state_ == websocket_state::open) ping_ = frame(opcode::ping, {});  // closing has a limit of its own
    outbox_work_.pulse();
    const auto patience = doubted ? std::min(options_.pong_within, options_.doubt_within) : options_.pong_within;
    co_await async::sleep_for(patience);
    // Anything that arrives is an answer; while the inbox is full nothing is read, and nothing can be said.
    if (reading_ && last_heard_ <= asked && state_ == websocket_state::open) break;
    pause = options_.ping_every - patience;
  }
  lost_ = true;
  note_end(static_cast<std::uint16_t>(http::close_code::abnormal), "no answer to a ping");
}

async::task<> websocket::limit_closing() {
  co_await close_asked_.wait();
  const auto until_left = [](async::event& left) -> async::task<> { co_await left.wait(); };
  co_await async::with_timeout(options_.close_within, until_left(close_left_));
  co_await async::sleep_for(options_.close_within);
  note_end(static_cast<std::uint16_t>(http::close_code::abnormal), "the peer did not answer our Close");
  lost_ = true;
}

// RFC 6455 §7.1.1: the server closes the TCP connection first, the client waits for it.
async::task<> websocket::part() {
  if (lost_) co_return;
  constexpr auto patience = std::chrono::seconds(1);
  if (role_ == websocket_role::client && close_received_) co_await await_end(*stream_, patience);
  else co_await linger(*stream_, patience);
}

async::task<base::result<websocket_message>> websocket::receive() {
  auto m = co_await inbox_.receive();
  if (!m) co_return base::fail(errc::websocket_closed);
  co_return std::move(*m);
}

async::task<base::result<void>> websocket::send_text(std::string text) {
  if (!base::is_utf8(base::as_bytes(text))) co_return base::fail(base::errc::invalid);
  co_return co_await send(opcode::text, base::as_bytes(text));
}

async::task<base::result<void>> websocket::send_binary(base::bytes data) { co_return co_await send(opcode::binary, data); }

async::task<base::result<void>> websocket::send(opcode op, base::byte_view payload) {
  while (state_ == websocket_state::open && !has_room(payload.size())) co_await outbox_room_.wait();
  if (state_ != websocket_state::open) co_return base::fail(errc::websocket_closed);
  enqueue(op, payload);
  co_return base::result<void>();
}

bool websocket::try_send_text(std::string_view text) {
  return base::is_utf8(base::as_bytes(text)) && try_send(opcode::text, base::as_bytes(text));
}

bool websocket::try_send_binary(base::byte_view data) { return try_send(opcode::binary, data); }

bool websocket::try_send(opcode op, base::byte_view payload) {
  if (state_ != websocket_state::open) return false;
  if (!has_room(payload.size())) {
    ++counters_.outbox_full;
    return false;
  }
  enqueue(op, payload);
  return true;
}

// One message larger than the whole outbox may go when nothing else is there, or it never could.
bool websocket::has_room(std::size_t payload) const noexcept {
  return outbox_bytes_ == 0 || outbox_bytes_ + payload + longest_frame_header <= options_.outbox_bytes;
}

void websocket::enqueue(opcode op, base::byte_view payload) {
  outbox_.push_back(frame(op, payload));
  outbox_bytes_ += outbox_.back().size();
  ++counters_.sent;
  outbox_work_.pulse();
  invariant();
}

// RFC 6455 §5.3: a client masks every frame with a fresh key that nobody can predict.
base::bytes websocket::frame(opcode op, base::byte_view payload) {
  if (role_ == websocket_role::server) return make_frame(op, payload);
  masking_key key{};
  host_.random(key);
  return make_frame(op, payload, key);
}

async::task<> websocket::close(std::uint16_t code, std::string reason) {
  start_close(code, reason);
  co_await closed();
}

void websocket::start_close(std::uint16_t code, std::string_view reason) {
  queue_close(is_sendable(code) ? code : static_cast<std::uint16_t>(http::close_code::normal), reason, false);
}

async::task<> websocket::closed() { co_await ended_.wait(); }

void websocket::queue_close(std::uint16_t code, std::string_view reason, bool drop_queued) {
  if (close_queued_ || state_ == websocket_state::closed) return;
  close_queued_ = true;
  if (drop_queued) {
    for (const auto& f : outbox_) outbox_bytes_ -= std::min(outbox_bytes_, f.size());
    outbox_.clear();
  }
  const auto body = is_sendable(code) ? make_close_body(code, reason) : base::bytes();
  close_frame_ = frame(opcode::close, body);
  set_state(websocket_state::closing, reason.empty() ? "closing handshake" : reason);
  inbox_.close();
  outbox_room_.pulse();
  outbox_work_.pulse();
  close_asked_.set();
  invariant();
}

void websocket::set_state(websocket_state next, std::string_view reason) {
  if (next == state_) return;
  const auto before = state_;
  state_ = next;
  tracer_(host_.now(), trace::state_change{trace::layer::http, "websocket", to_string(before), to_string(next), reason});
}

void websocket::note_end(std::uint16_t code, std::string reason) {
  if (end_known_) return;
  end_known_ = true;
  close_code_ = code;
  close_reason_ = std::move(reason);
}

void websocket::invariant() const {
  assert(state_ != websocket_state::open || !close_queued_);
  assert(!close_frame_ || close_queued_);
  assert(outbox_.empty() || outbox_bytes_ != 0);
  assert(state_ != websocket_state::closed || (end_known_ && outbox_.empty()));
}

}  // namespace strata::http
