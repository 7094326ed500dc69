#include "sim/tcp_stream.hpp"

#include <algorithm>
#include <cassert>

#include "async/sleep.hpp"
#include "sim/host.hpp"

namespace strata::sim {

namespace {
constexpr std::size_t window = 256 << 10;  // in flight and unread together
constexpr std::size_t segment_size = 1460;
}  // namespace

tcp_stream::tcp_stream(tcp_stack& s, const base::endpoint& local, const base::endpoint& remote, state initial)
    : stack_(s), local_(local), remote_(remote), state_(initial) {
  [[maybe_unused]] const bool fresh = stack_.streams_.emplace(tcp_stack::key(local, remote), this).second;
  assert(fresh);
}

tcp_stream::~tcp_stream() { close(); }

void tcp_stream::send(segment_kind kind, base::byte_view payload) {
  packet p{protocol::tcp, local_, remote_, base::to_bytes(payload), {}};
  p.segment.kind = kind;
  if (kind == segment_kind::data || kind == segment_kind::end) p.segment.sequence = next_sequence_++;
  stack_.host_.transmit(std::move(p));
}

async::task<net::result<void>> tcp_stream::established() {
  while (state_ == state::connecting) co_await writable_.wait();
  if (state_ == state::closed) co_return base::fail(reason_);
  co_return net::result<void>();
}

async::task<net::result<std::size_t>> tcp_stream::read(base::byte_span into) {
  auto& pace = stack_.host_.pace();
  for (;;) {
    while (taken_ == inbox_.size() && !peer_finished_ && state_ == state::open) co_await readable_.wait();
    if (taken_ == inbox_.size() || pace.next() <= stack_.host_.now()) break;
    co_await async::sleep_until(pace.next());
  }
  const auto n = std::min({into.size(), inbox_.size() - taken_, pace.most()});
  if (n == 0 && !into.empty() && !peer_finished_) co_return base::fail(reason_);
  std::copy_n(inbox_.begin() + static_cast<std::ptrdiff_t>(taken_), n, into.begin());
  taken_ += n;
  pace.took(n, stack_.host_.now());
  consumed(n);
  co_return n;
}

void tcp_stream::consumed(std::size_t n) {
  if (taken_ == inbox_.size()) {
    inbox_.clear();
    taken_ = 0;
  }
  uncredited_ += n;
  // One credit for many small reads, but never keep back what a waiting writer needs.
  if (state_ != state::open || (uncredited_ < window / 4 && !(inbox_.empty() && uncredited_ != 0))) return;
  packet p{protocol::tcp, local_, remote_, {}, {}};
  p.segment.kind = segment_kind::credit;
  p.segment.credit = std::exchange(uncredited_, 0);
  stack_.host_.transmit(std::move(p));
}

async::task<net::result<void>> tcp_stream::write(base::byte_view data) {
  assert(!finished_ && "write after finish");
  while (!data.empty()) {
    while (in_flight_ >= window && state_ == state::open) co_await writable_.wait();
    if (state_ != state::open) break;
    const auto n = std::min({data.size(), segment_size, window - in_flight_});
    send(segment_kind::data, data.first(n));
    in_flight_ += n;
    data = data.subspan(n);
  }
  if (state_ != state::open) co_return base::fail(reason_);
  co_return net::result<void>();
}

async::task<net::result<void>> tcp_stream::finish() {
  if (state_ != state::open) co_return base::fail(reason_);
  if (!finished_) {
    finished_ = true;
    send(segment_kind::end);
  }
  co_return net::result<void>();
}

void tcp_stream::close() noexcept {
  if (state_ == state::closed) return;
  if (state_ == state::open && !finished_) send(segment_kind::end);
  fail(base::errc::closed);
  // After a local close there is nothing more to read, unlike after a reset by the peer.
  inbox_.clear();
  taken_ = 0;
  peer_finished_ = false;
}

void tcp_stream::fail(base::errc reason) {
  if (state_ == state::closed) return;
  state_ = state::closed;
  reason_ = reason;
  early_.clear();
  stack_.streams_.erase({local_, remote_});
  readable_.pulse();
  writable_.pulse();
}

void tcp_stream::receive(const packet& p) {
  switch (p.segment.kind) {
    case segment_kind::open:  // RFC 9293 §3.5: both opened at once; or the same connection again, a duplicate
      if (state_ == state::connecting) state_ = state::open;
      writable_.pulse();
      break;
    case segment_kind::accepted:
      if (state_ == state::connecting) state_ = state::open;
      writable_.pulse();
      break;
    case segment_kind::data:
    case segment_kind::end:
      early_.emplace(p.segment.sequence, p);
      take_in_order();
      break;
    case segment_kind::credit:
      in_flight_ -= std::min<std::size_t>(in_flight_, p.segment.credit);
      writable_.pulse();
      break;
    case segment_kind::reset: fail(p.segment.reason); break;
  }
}

void tcp_stream::take_in_order() {
  for (auto next = early_.find(expected_); next != early_.end(); next = early_.find(++expected_)) {
    if (next->second.segment.kind == segment_kind::end) peer_finished_ = true;
    else base::append(inbox_, next->second.payload);
    early_.erase(next);
    readable_.pulse();
  }
}

}  // namespace strata::sim
