// HTTP: a head is found and read the same in whatever pieces it comes; what is read is written and read again; chunked bodies
// decode the same in one piece and octet by octet; targets, URLs and handshakes take anything.
#include <string>

#include "base/bytes.hpp"
#include "check.hpp"
#include "http/chunked.hpp"
#include "http/head.hpp"
#include "http/url.hpp"
#include "http/websocket_handshake.hpp"

using namespace strata;

namespace {

void check_request(base::byte_view head_octets) {
  const auto head = http::parse_request_head(head_octets);
  if (!head) return;
  STRATA_FUZZ_CHECK(head->headers.valid());
  const auto text = http::format_request_head(head->method, head->target, head->headers);
  const auto end = http::find_head_end(base::as_bytes(text));
  STRATA_FUZZ_CHECK(end && *end && **end == text.size());
  const auto again = http::parse_request_head(base::as_bytes(text));
  // What we write is HTTP/1.1, which has to have a Host.
  if (head->minor_version == 0 && !head->headers.contains("Host")) return;
  STRATA_FUZZ_CHECK(again && again->method == head->method && again->target == head->target && again->headers == head->headers);
  if (head->minor_version >= 1) STRATA_FUZZ_CHECK(again->body == head->body && again->keep_alive == head->keep_alive);

  http::request r;
  r.method = head->method;
  r.minor_version = head->minor_version;
  r.headers = head->headers;
  STRATA_FUZZ_CHECK(http::read_target(head->target, head->method, r));
  STRATA_FUZZ_CHECK(!r.path.empty() && r.path.find('\0') == std::string::npos);
  (void)r.query("token");
  const auto answer = http::accept_websocket(r);
  STRATA_FUZZ_CHECK(answer.headers.valid() && (answer.status != 101 || http::asks_for_websocket(r)));
}

void check_response(base::byte_view head_octets) {
  const auto head = http::parse_response_head(head_octets);
  if (!head) return;
  const auto text = http::format_response_head(head->status, head->headers);
  const auto again = http::parse_response_head(base::as_bytes(text));
  STRATA_FUZZ_CHECK(again && again->status == head->status && again->headers == head->headers);
}

void check_chunked(base::byte_view data) {
  constexpr std::size_t max = 4096;
  std::string whole, pieces;
  http::chunked_decoder at_once(max), by_octets(max);
  const auto taken = at_once.decode(data, whole);
  std::size_t used = 0;
  bool failed = false;
  for (std::size_t i = 0; i < data.size() && !failed && !by_octets.done(); ++i) {
    const auto n = by_octets.decode(data.subspan(i, 1), pieces);
    if (!n) failed = true;
    else used += *n;
  }
  STRATA_FUZZ_CHECK(failed == !taken && whole == pieces && whole.size() <= max);
  if (taken) STRATA_FUZZ_CHECK(*taken == used && at_once.done() == by_octets.done());
}

void check_url(std::string_view text) {
  const auto u = http::url::parse(text);
  if (!u) return;
  const auto again = http::url::parse(u->to_string());
  STRATA_FUZZ_CHECK(again && *again == *u);
  auto longer = *u;
  longer.add_parameter("k&=", text);
  // Ours is the last of that name, and it is whole.
  const auto all = http::parse_query(longer.query);
  STRATA_FUZZ_CHECK(!all.empty() && all.back().first == "k&=" && all.back().second == text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const base::byte_view input{data, size};
  const auto end = http::find_head_end(input);
  if (end && *end) {
    // The octets before the last do not make a head.
    const auto before = http::find_head_end(input.first(**end - 1));
    STRATA_FUZZ_CHECK(before && !*before);
    const auto head = input.first(**end);
    check_request(head);
    check_response(head);
    check_chunked(input.subspan(**end));
  }
  check_request(input);
  check_chunked(input);
  check_url(base::as_text(input));
  return 0;
}
