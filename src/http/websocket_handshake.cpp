#include "http/websocket_handshake.hpp"

#include <algorithm>

#include "base/base64.hpp"
#include "crypto/digest.hpp"
#include "http/grammar.hpp"

namespace strata::http {
namespace {

constexpr std::string_view guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

response refuse(int status, std::string_view why) { return response::text(status, std::string(why) + "\n"); }

// RFC 6455 §9.1: extension *( ";" name [ "=" token or quoted ] ), comma-separated. We take none of them, but a list that is
// no list is a malformed handshake.
bool is_extension_list(std::string_view text) {
  std::size_t at = 0;
  const auto skip = [&] {
    while (at < text.size() && (text[at] == ' ' || text[at] == '\t')) ++at;
  };
  const auto token = [&] {
    const auto begin = at;
    while (at < text.size() && is_token_char(text[at])) ++at;
    return at != begin;
  };
  const auto value = [&] {
    if (at == text.size() || text[at] != '"') return token();
    const auto end = text.find('"', at + 1);
    if (end == std::string_view::npos || !is_token(text.substr(at + 1, end - at - 1))) return false;
    at = end + 1;
    return true;
  };
  for (;;) {
    skip();
    if (!token()) return false;
    for (skip(); at < text.size() && text[at] == ';'; skip()) {
      ++at;
      skip();
      if (!token()) return false;
      skip();
      if (at < text.size() && text[at] == '=') {
        ++at;
        skip();
        if (!value()) return false;
      }
    }
    if (at == text.size()) return true;
    if (text[at++] != ',') return false;
  }
}

bool contains(std::span<const std::string> list, std::string_view item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

}  // namespace

std::string websocket_accept_key(std::string_view key) {
  return base::base64_encode(crypto::sha1({base::as_bytes(key), base::as_bytes(guid)}));
}

bool asks_for_websocket(const request& r) noexcept { return r.method == "GET" && r.headers.lists("Upgrade", "websocket"); }

response accept_websocket(const request& r, std::span<const std::string> subprotocols) {
  // RFC 9110 §15.5.22: 426 says what to upgrade to, and RFC 6455 §4.4 which version.
  const auto upgrade_required = [](std::string_view why) {
    auto answer = refuse(426, why);
    answer.headers.add("Upgrade", "websocket");
    answer.headers.add("Connection", "Upgrade");
    answer.headers.add("Sec-WebSocket-Version", "13");
    return answer;
  };
  if (!r.headers.lists("Upgrade", "websocket")) return upgrade_required("this address speaks WebSocket");
  // RFC 6455 §4.2.1, in its order.
  if (r.method != "GET") return refuse(400, "a WebSocket begins with GET");
  if (r.minor_version < 1) return refuse(400, "a WebSocket begins with HTTP/1.1");
  if (!r.headers.lists("Connection", "upgrade")) return refuse(400, "Connection does not list Upgrade");
  const auto key = r.headers.single("Sec-WebSocket-Key");
  if (!key) return refuse(400, "one Sec-WebSocket-Key is needed");
  if (const auto octets = base::base64_decode(*key); !octets || octets->size() != 16)
    return refuse(400, "Sec-WebSocket-Key is not 16 octets in base64");
  const auto version = r.headers.single("Sec-WebSocket-Version");
  if (!version) return refuse(400, "one Sec-WebSocket-Version is needed");
  if (*version != "13") return upgrade_required("only version 13 of WebSocket is spoken here");
  for (const auto& [name, value] : r.headers)
    if (equal_ignoring_case(name, "Sec-WebSocket-Extensions") && !is_extension_list(value))
      return refuse(400, "Sec-WebSocket-Extensions is malformed");

  response answer;
  answer.status = 101;
  answer.headers.add("Upgrade", "websocket");
  answer.headers.add("Connection", "Upgrade");
  answer.headers.add("Sec-WebSocket-Accept", websocket_accept_key(*key));
  std::string_view chosen;
  bool malformed = false;
  for (const auto& [name, value] : r.headers) {
    if (!equal_ignoring_case(name, "Sec-WebSocket-Protocol")) continue;
    for_each_element(value, [&](std::string_view wanted) {
      malformed = malformed || !is_token(wanted);
      if (chosen.empty() && contains(subprotocols, wanted)) chosen = wanted;
    });
  }
  if (malformed) return refuse(400, "Sec-WebSocket-Protocol is malformed");
  if (!chosen.empty()) answer.headers.add("Sec-WebSocket-Protocol", chosen);
  return answer;
}

response accept_websocket_from(const request& r, std::span<const std::string> origins,
                               std::span<const std::string> subprotocols) {
  // RFC 6455 §4.2.1: no Origin, no browser, and so no page that could misuse a user's standing.
  if (r.headers.contains("Origin")) {
    const auto origin = r.headers.single("Origin");
    if (!origin || !contains(origins, *origin)) return refuse(403, "this origin is not allowed");
  }
  return accept_websocket(r, subprotocols);
}

websocket_offer offer_websocket(std::span<const std::uint8_t, 16> random, std::span<const std::string> subprotocols,
                                const fields& extra) {
  websocket_offer offer;
  offer.key = base::base64_encode(random);
  offer.headers = extra;
  offer.headers.set("Upgrade", "websocket");
  offer.headers.set("Connection", "Upgrade");
  offer.headers.set("Sec-WebSocket-Key", offer.key);
  offer.headers.set("Sec-WebSocket-Version", "13");
  std::string list;
  for (const auto& s : subprotocols) list += (list.empty() ? "" : ", ") + s;
  if (!list.empty()) offer.headers.set("Sec-WebSocket-Protocol", list);
  return offer;
}

base::result<std::string> check_websocket_answer(const response_head& head, const websocket_offer& offer,
                                                 std::span<const std::string> subprotocols) {
  using base::fail;
  if (head.status == 401 || head.status == 403) return fail(errc::upgrade_unauthorised);
  if (head.status == 404) return fail(errc::upgrade_not_found);
  if (head.status >= 500) return fail(errc::upgrade_unavailable);
  if (head.status != 101) return fail(errc::upgrade_refused);
  // RFC 6455 §4.1, the client's list of what must hold.
  constexpr auto nowhere = base::error::nowhere;
  const auto upgrade = head.headers.single("Upgrade");
  if (!upgrade || !equal_ignoring_case(*upgrade, "websocket")) return fail(errc::bad_handshake, nowhere, "Upgrade: websocket");
  if (!head.headers.lists("Connection", "upgrade")) return fail(errc::bad_handshake, nowhere, "Connection: Upgrade");
  const auto accepted = head.headers.single("Sec-WebSocket-Accept");
  if (!accepted || *accepted != websocket_accept_key(offer.key))
    return fail(errc::bad_handshake, nowhere, "Sec-WebSocket-Accept made from our key");
  if (head.headers.contains("Sec-WebSocket-Extensions")) return fail(errc::bad_handshake, nowhere, "no extensions");
  if (!head.headers.contains("Sec-WebSocket-Protocol")) return std::string();
  const auto chosen = head.headers.single("Sec-WebSocket-Protocol");
  if (!chosen || !contains(subprotocols, *chosen)) return fail(errc::bad_handshake, nowhere, "a subprotocol we offered");
  return std::string(*chosen);
}

}  // namespace strata::http
