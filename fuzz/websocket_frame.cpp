// WebSocket frames: a header that reads is written again octet for octet; messages come out the same in whatever pieces they
// come in; and what comes out can be sent and read back.
#include <optional>
#include <vector>

#include "base/bytes.hpp"
#include "base/utf8.hpp"
#include "check.hpp"
#include "http/websocket_reader.hpp"

using namespace strata;
using kind = http::websocket_event::kind;

namespace {

constexpr std::size_t max_message = 4096;

std::vector<http::websocket_event> read(http::websocket_role role, base::byte_view data, std::size_t piece) {
  http::websocket_reader r(role, max_message);
  std::vector<http::websocket_event> events;
  for (std::size_t at = 0; at < data.size(); at += piece) {
    r.feed(data.subspan(at, std::min(piece, data.size() - at)));
    while (auto e = r.next()) events.push_back(std::move(*e));
  }
  return events;
}

void check_header(base::byte_view data) {
  const auto p = http::parse_frame_header(data);
  if (!p || !*p) return;
  STRATA_FUZZ_CHECK((*p)->size <= data.size() && (*p)->size <= http::longest_frame_header);
  base::bytes out;
  http::write_frame_header(out, (*p)->header);
  STRATA_FUZZ_CHECK(out == base::to_bytes(data.first((*p)->size)));
}

// The other side sends what came out; it is read back as the same.
void check_echo(const http::websocket_event& e, http::websocket_role own) {
  std::optional<http::masking_key> mask;
  if (own == http::websocket_role::server) mask = http::masking_key{0x37, 0xfa, 0x21, 0x3d};
  base::bytes frame;
  switch (e.what) {
    case kind::text: frame = http::make_frame(http::opcode::text, base::as_bytes(e.data), mask); break;
    case kind::binary: frame = http::make_frame(http::opcode::binary, base::as_bytes(e.data), mask); break;
    case kind::ping: frame = http::make_frame(http::opcode::ping, base::as_bytes(e.data), mask); break;
    case kind::pong: frame = http::make_frame(http::opcode::pong, base::as_bytes(e.data), mask); break;
    case kind::close: {
      const auto body = http::is_sendable(e.code) ? http::make_close_body(e.code, e.data) : base::bytes();
      frame = http::make_frame(http::opcode::close, body, mask);
      break;
    }
    case kind::violation: return;
  }
  STRATA_FUZZ_CHECK(read(own, frame, frame.size()) == std::vector{e});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const base::byte_view input{data, size};
  check_header(input);
  for (const auto role : {http::websocket_role::server, http::websocket_role::client}) {
    const auto events = read(role, input, std::max<std::size_t>(size, 1));
    STRATA_FUZZ_CHECK(read(role, input, 1) == events);
    STRATA_FUZZ_CHECK(read(role, input, 7) == events);
    for (std::size_t i = 0; i < events.size(); ++i) {
      const auto& e = events[i];
      STRATA_FUZZ_CHECK(e.data.size() <= max_message);
      if (e.what == kind::text || e.what == kind::close) STRATA_FUZZ_CHECK(base::is_utf8(base::as_bytes(e.data)));
      if (e.what == kind::close || e.what == kind::violation) STRATA_FUZZ_CHECK(i + 1 == events.size());
      check_echo(e, role);
    }
  }
  return 0;
}
