#include "http/websocket_handshake.hpp"

#include <doctest/doctest.h>

#include <array>
#include <vector>

using namespace strata;

namespace {

http::request good() {
  http::request r;
  r.method = "GET";
  r.path = "/ws";
  r.headers = {{"Host", "a"},
               {"upgrade", "WebSocket"},
               {"Connection", "keep-alive, Upgrade"},
               {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="},
               {"Sec-WebSocket-Version", "13"}};
  return r;
}

http::request with(std::string_view name, std::string_view value) {
  auto r = good();
  r.headers.set(name, value);
  return r;
}

http::request without(std::string_view name) {
  auto r = good();
  r.headers.remove(name);
  return r;
}

}  // namespace

// req: 6455-4.2.2-i 6455-4.2.2-h 6455-4.2.1-d 6455-4.2.1-e 6455-11.3.3-a 6455-11.3.2-a 9110-7.8-a
TEST_CASE("a good handshake is answered as the RFC's example is") {
  CHECK(http::websocket_accept_key("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  const auto answer = http::accept_websocket(good());
  CHECK(answer.status == 101);
  CHECK(answer.headers.single("Upgrade") == "websocket");
  CHECK(answer.headers.single("Connection") == "Upgrade");
  CHECK(answer.headers.single("Sec-WebSocket-Accept") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  CHECK_FALSE(answer.headers.contains("Sec-WebSocket-Protocol"));    // req: 6455-4.2.2-f
  CHECK_FALSE(answer.headers.contains("Sec-WebSocket-Extensions"));  // req: 6455-4.2.2-g 6455-9-a
  CHECK(http::accept_websocket(with("Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits, x; y=\"z\""))
            .status == 101);
}

// req: 6455-4.2.1-a
TEST_CASE("handshakes that are none get the error that says so") {
  auto post = good();
  post.method = "POST";
  auto old = good();
  old.minor_version = 0;
  auto two_keys = good();
  two_keys.headers.add("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
  auto two_versions = good();
  two_versions.headers.add("Sec-WebSocket-Version", "13");
  struct bad {
    const char* what;
    http::request request;
    int status;
  };
  const std::vector<bad> table = {
      {"POST", post, 400},  // req: 6455-4.2.1-b
      {"HTTP/1.0", old, 400},
      {"no Upgrade", without("Upgrade"), 426},
      {"another Upgrade", with("Upgrade", "h2c"), 426},
      {"no Connection", without("Connection"), 400},
      {"Connection without Upgrade", with("Connection", "keep-alive"), 400},
      {"Connection with nearly Upgrade", with("Connection", "Upgraded"), 400},
      {"no key", without("Sec-WebSocket-Key"), 400},
      {"two keys", two_keys, 400},  // req: 6455-11.3.1-a
      {"an empty key", with("Sec-WebSocket-Key", ""), 400},
      {"a key of 15 octets", with("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAA"), 400},  // req: 6455-4.2.1-f
      {"a key of 17 octets", with("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAAA="), 400},
      {"a key that is not base64", with("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ!="), 400},
      {"a key without padding", with("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ"), 400},
      {"no version", without("Sec-WebSocket-Version"), 400},
      {"two versions", two_versions, 400},                       // req: 6455-11.3.5-a
      {"version 12", with("Sec-WebSocket-Version", "12"), 426},  // req: 6455-4.2.1-g
      {"version 99", with("Sec-WebSocket-Version", "99"), 426},  // req: 6455-4.2.2-c
      {"version 013", with("Sec-WebSocket-Version", "013"), 426},
      {"extensions ;;", with("Sec-WebSocket-Extensions", ";;"), 400},  // req: 6455-9.1-a
      {"extensions =", with("Sec-WebSocket-Extensions", "="), 400},
      {"extensions a b", with("Sec-WebSocket-Extensions", "a b"), 400},
      {"extensions a;b=", with("Sec-WebSocket-Extensions", "a;b="), 400},
      {"extensions a;b=\"c", with("Sec-WebSocket-Extensions", "a;b=\"c"), 400},
      {"extensions, empty", with("Sec-WebSocket-Extensions", ""), 400},
      {"a protocol with a space", with("Sec-WebSocket-Protocol", "a b"), 400},
  };
  for (const auto& b : table) {
    CAPTURE(b.what);
    const auto answer = http::accept_websocket(b.request);
    CHECK(answer.status == b.status);
    CHECK_FALSE(answer.body.empty());
    if (b.status == 426) {
      CHECK(answer.headers.single("Sec-WebSocket-Version") == "13");  // req: 6455-4.4-a
      CHECK(answer.headers.single("Upgrade") == "websocket");         // req: 9110-15.5.22-a
    }
  }
}

// req: 6455-4.2.2-e
TEST_CASE("the first of the client's subprotocols that we speak is chosen") {
  const std::vector<std::string> ours = {"c", "b"};
  CHECK(http::accept_websocket(with("Sec-WebSocket-Protocol", "a, b, c"), ours).headers.single("Sec-WebSocket-Protocol") ==
        "b");
  CHECK_FALSE(http::accept_websocket(with("Sec-WebSocket-Protocol", "x, B"), ours).headers.contains("Sec-WebSocket-Protocol"));
  auto twice = with("Sec-WebSocket-Protocol", "x");
  twice.headers.add("Sec-WebSocket-Protocol", "c");
  CHECK(http::accept_websocket(twice, ours).headers.single("Sec-WebSocket-Protocol") == "c");
}

// req: 6455-10.2-a 6455-4.2.2-b 6455-4.2.1-h
TEST_CASE("pages of other origins are turned away, programs are not") {
  const std::vector<std::string> origins = {"https://hub.example"};
  CHECK(http::accept_websocket_from(good(), origins).status == 101);
  CHECK(http::accept_websocket_from(with("Origin", "https://hub.example"), origins).status == 101);
  CHECK(http::accept_websocket_from(with("Origin", "https://evil.example"), origins).status == 403);
  CHECK(http::accept_websocket_from(with("Origin", "null"), origins).status == 403);
  CHECK(http::accept_websocket_from(with("Origin", ""), origins).status == 403);
  auto two = with("Origin", "https://hub.example");
  two.headers.add("Origin", "https://evil.example");
  CHECK(http::accept_websocket_from(two, origins).status == 403);
}

TEST_CASE("a client checks the server's answer") {
  std::array<std::uint8_t, 16> random{};
  const std::vector<std::string> protocols = {"a", "b"};
  const auto offer = http::offer_websocket(random, protocols, {{"X-Api-Key", "k"}});
  CHECK(offer.headers.single("Sec-WebSocket-Protocol") == "a, b");
  CHECK(offer.headers.single("X-Api-Key") == "k");
  const auto judge = [&](int status, http::fields f) {
    http::response_head head;
    head.status = status;
    head.headers = std::move(f);
    return http::check_websocket_answer(head, offer, protocols);
  };
  const auto key = http::websocket_accept_key(offer.key);
  const http::fields right = {{"Upgrade", "WebSocket"}, {"Connection", "upgrade"}, {"Sec-WebSocket-Accept", key}};
  CHECK(judge(101, right) == std::string());
  auto chosen = right;
  chosen.add("Sec-WebSocket-Protocol", "b");
  CHECK(judge(101, chosen) == std::string("b"));
  CHECK(judge(401, {}).error() == http::errc::upgrade_unauthorised);
  CHECK(judge(403, {}).error() == http::errc::upgrade_unauthorised);
  CHECK(judge(404, {}).error() == http::errc::upgrade_not_found);
  CHECK(judge(200, right).error() == http::errc::upgrade_refused);
  CHECK(judge(302, {}).error() == http::errc::upgrade_refused);
  CHECK(judge(503, {}).error() == http::errc::upgrade_unavailable);
  for (const auto& [name, value] :
       std::vector<std::pair<std::string, std::string>>{{"Upgrade", "h2c"},
                                                        {"Connection", "close"},
                                                        {"Sec-WebSocket-Accept", "x"},
                                                        {"Sec-WebSocket-Protocol", "c"},
                                                        {"Sec-WebSocket-Extensions", "permessage-deflate"}}) {
    CAPTURE(name);
    auto wrong = right;
    wrong.set(name, value);
    CHECK(judge(101, wrong).error() == http::errc::bad_handshake);
  }
}
