#include "http/stream_reader.hpp"

#include <algorithm>

#include "http/chunked.hpp"

namespace strata::http {

async::task<base::result<std::size_t>> stream_reader::fill(base::instant deadline) {
  constexpr std::size_t piece = 16 * 1024;
  buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(used_));
  used_ = 0;
  const auto before = buffer_.size();
  buffer_.resize(before + piece);
  auto& loop = co_await async::this_loop();
  auto n = co_await async::with_timeout(deadline - loop.now(), stream_->read(base::byte_span(buffer_).subspan(before)));
  buffer_.resize(before + n.value_or(0));
  if (!n && n.error() == base::errc::timed_out) co_return base::fail(errc::too_slow);
  co_return n;
}

base::bytes stream_reader::take_buffered() {
  auto rest = base::to_bytes(buffered());
  buffer_ = base::bytes();  // "= {}" would keep the room
  used_ = 0;
  return rest;
}

// RFC 9112 §2.2: some old clients send a line end too many after a body. Two are let pass, not a flood.
void stream_reader::skip_empty_lines() {
  for (int i = 0; i < 2 && buffered().size() >= 2 && buffered()[0] == '\r' && buffered()[1] == '\n'; ++i) use(2);
}

async::task<base::result<std::optional<base::byte_view>>> stream_reader::read_head(head_limits limits, base::duration idle,
                                                                                   base::duration head_time) {
  auto& loop = co_await async::this_loop();
  bool begun = !buffered().empty();
  auto deadline = loop.now() + (begun ? head_time : idle);
  for (;;) {
    skip_empty_lines();
    if (!buffered().empty()) {
      const auto end = find_head_end(buffered(), limits);
      if (!end) co_return base::fail(end.error());
      if (*end) {
        const auto head = buffered().first(**end);
        use(**end);
        co_return std::optional(head);
      }
    }
    const auto n = co_await fill(deadline);
    if (!n || *n == 0) {
      if (!begun && (n || n.error() == errc::too_slow)) co_return std::optional<base::byte_view>();
      co_return base::fail(n ? base::error(errc::truncated) : n.error());
    }
    if (!begun) deadline = loop.now() + head_time;
    begun = true;
  }
}

async::task<base::result<std::string>> stream_reader::read_body(framing how, body_limits limits) {
  std::string body;
  if (how.how == framing::kind::none) co_return body;
  if (how.how == framing::kind::length && how.length > limits.bytes) co_return base::fail(errc::body_too_large);
  auto& loop = co_await async::this_loop();
  const auto begin = loop.now();
  std::size_t received = 0;
  chunked_decoder decoder(limits.bytes);
  for (;;) {
    switch (how.how) {
      case framing::kind::none: break;
      case framing::kind::length: {
        const auto n = std::min<std::uint64_t>(how.length - body.size(), buffered().size());
        body.append(base::as_text(buffered().first(static_cast<std::size_t>(n))));
        use(static_cast<std::size_t>(n));
        if (body.size() == how.length) co_return body;
        break;
      }
      case framing::kind::chunked: {
        const auto n = decoder.decode(buffered(), body);
        if (!n) co_return base::fail(n.error());
        use(*n);
        if (decoder.done()) co_return body;
        break;
      }
      case framing::kind::until_close:
        if (buffered().size() > limits.bytes - body.size()) co_return base::fail(errc::body_too_large);
        body.append(base::as_text(buffered()));
        use(buffered().size());
        break;
    }
    const auto earned = std::chrono::milliseconds(received * 1000 / std::max<std::size_t>(limits.least_rate, 1));
    const auto n = co_await fill(begin + limits.grace + earned);
    if (!n) co_return base::fail(n.error());
    if (*n == 0) {
      if (how.how == framing::kind::until_close) co_return body;
      co_return base::fail(errc::truncated);
    }
    received += *n;
  }
}

namespace {
async::task<> drop_the_rest(net::stream& s) {
  base::bytes piece(16 * 1024);
  for (std::size_t dropped = 0; dropped < (4u << 20);) {
    const auto n = co_await s.read(piece);
    if (!n || *n == 0) co_return;
    dropped += *n;
  }
}
}  // namespace

async::task<> await_end(net::stream& s, base::duration limit) {
  co_await async::with_timeout(limit, drop_the_rest(s));
  s.close();
}

async::task<> linger(net::stream& s, base::duration limit) {
  const auto finished = co_await async::with_timeout(limit, s.finish());
  if (finished) co_await async::with_timeout(limit, drop_the_rest(s));
  s.close();
}

}  // namespace strata::http
