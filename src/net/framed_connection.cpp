// The life of one connection: made or accepted, a first frame, then frames both ways until one side has had enough.
#include "net/framed_connection.hpp"

#include <algorithm>
#include <utility>

#include "async/combine.hpp"
#include "async/sleep.hpp"

namespace strata::net {
namespace {

constexpr base::duration accepted_within = std::chrono::seconds(1);
constexpr std::size_t read_size = 16 << 10;
constexpr std::size_t write_size = 16 << 10;  // what a peer has to take within stalled_after

async::task<> until(async::event& e) { co_await e.wait(); }

base::errc reason(const base::error& e) {
  for (const auto why : {base::errc::refused, base::errc::closed})
    if (e == why) return why;
  return base::errc::unreachable;
}

}  // namespace

async::task<> framed_streams::serve(shared_connection c) {
  auto why = base::error(base::errc::closed);
  if (auto ok = co_await establish(*c); !ok) {
    why = ok.error();
  } else {
    auto [read_end, write_end, asked] = co_await async::first_of(read(*c), write(*c), until(c->end));
    if (read_end) why = *read_end;
    else if (write_end) why = *write_end;
    c->link->close();
  }
  counters_.dropped_by_kernel += c->frames;
  remove(*c);
  if (c->proved && !c->end.is_set()) report_unreachable(counters_, c->peer, reason(why));
}

// RFC 6544 §7.1: first the connection, then the check.
async::task<result<void>> framed_streams::establish(connection& c) {
  if (c.accepted) co_return result<void>();
  c.proved = true;
  const tcp_options from{.local = local_, .share_port = options_.mode == framed_mode::simultaneous};
  auto [made, adopted, asked] = co_await async::first_of(
      async::with_timeout(options_.connect_within, host_.connect_tcp(c.peer, from)), until(c.adopted), until(c.end));
  if (c.end.is_set()) co_return base::fail(base::errc::closed);
  if (c.link) co_return result<void>();
  if (made && !*made && options_.mode == framed_mode::simultaneous &&
      (made->error() == base::errc::in_use || made->error() == base::errc::not_found)) {
    // Both ends of the connection are taken: by the peer's own, which only has to be accepted.
    co_await async::first_of(async::with_timeout(accepted_within, until(c.adopted)), until(c.end));
    if (!c.end.is_set() && c.link) co_return result<void>();
  }
  if (!made) co_return base::fail(base::errc::closed);
  if (!*made) co_return base::fail(made->error());
  c.link = std::move(**made);
  ++framed_counters_.connected;
  co_return result<void>();
}

async::task<result<base::byte_view>> framed_streams::first_frame(connection& c, frame_reader& frames, base::bytes& buffer) {
  for (;;) {
    const auto n = co_await c.link->read(buffer);
    if (!n) co_return base::fail(n.error());
    if (*n == 0) co_return base::fail(base::errc::closed);
    frames.append(base::byte_view(buffer).first(*n));
    const auto frame = frames.next();
    if (!frame) {
      ++framed_counters_.too_large;
      co_return base::fail(frame.error());
    }
    if (!*frame) continue;
    const bool good = options_.sensible ? options_.sensible(**frame) : !(*frame)->empty();
    if (!good) co_return base::fail(base::errc::invalid);
    co_return **frame;
  }
}

async::task<base::error> framed_streams::read(connection& c) {
  frame_reader frames(c.proved ? largest_frame : options_.first_frame_bytes);
  base::bytes buffer(read_size);
  if (!c.proved) {
    const auto first = co_await async::with_timeout(options_.first_frame_within, first_frame(c, frames, buffer));
    if (!first) {
      if (!(first.error() == base::errc::too_large)) ++framed_counters_.speechless;
      co_return first.error();
    }
    c.proved = true;
    co_await take(c, *first);
    frames.set_largest(largest_frame);
  }
  for (;;) {
    for (;;) {
      const auto frame = frames.next();
      if (!frame) {
        ++framed_counters_.too_large;
        co_return frame.error();
      }
      if (!*frame) break;
      co_await take(c, **frame);
    }
    const auto n = co_await c.link->read(buffer);
    if (!n) co_return n.error();
    if (*n == 0) co_return base::error(base::errc::closed);
    frames.append(base::byte_view(buffer).first(*n));
  }
}

async::task<> framed_streams::take(connection& c, base::byte_view frame) {
  if (frame.empty()) co_return;  // RFC 4571 §2 allows it, to keep something alive; it says nothing
  while (inbox_bytes_ > options_.inbox_bytes) co_await room_.wait();
  inbox_bytes_ += frame.size();
  ++counters_.received;
  counters_.received_bytes += frame.size();
  inbox_.emplace_back(c.peer, base::to_bytes(frame));
  arrived_.pulse();
}

async::task<base::error> framed_streams::write(connection& c) {
  base::bytes batch;
  for (;;) {
    while (c.outbox.empty()) {
      c.more.reset();
      co_await c.more.wait();
    }
    batch.clear();
    std::swap(batch, c.outbox);
    const auto sent = std::exchange(c.frames, 0);
    const auto sent_bytes = std::exchange(c.frames_bytes, 0);
    for (base::byte_view left = batch; !left.empty();) {
      c.writing = left.size();
      const auto part = left.first(std::min(left.size(), write_size));
      const auto ok = co_await async::with_timeout(options_.stalled_after, c.link->write(part));
      if (!ok) {
        if (ok.error() == base::errc::timed_out) ++framed_counters_.stalled;
        counters_.dropped_by_kernel += sent;
        co_return ok.error();
      }
      left = left.subspan(part.size());
    }
    c.writing = 0;
    counters_.sent += sent;
    counters_.sent_bytes += sent_bytes;
  }
}

}  // namespace strata::net
