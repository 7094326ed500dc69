#include "lab.hpp"

using namespace lab;

TEST_CASE("a request is answered, over IPv4 by address and by name") {
  world w;
  http::server server(w.b, {}, echo_handlers());
  run(w, server, [&w]() -> async::task<> {
    auto answer =
        co_await http::fetch(w.a, {.method = "POST", .url = url("http://192.0.2.2/path?x=1"), .headers = {}, .body = "hello"});
    REQUIRE(answer);
    CHECK(answer->status == 200);
    CHECK(answer->body == "POST /path hello");
    CHECK(answer->headers.get("content-type") == "text/plain; charset=utf-8");  // req: 9110-5.1-a
    CHECK(answer->headers.contains("Date"));
    auto by_name = co_await http::fetch(w.a, {.url = url("http://server/")});
    REQUIRE(by_name);
    CHECK(by_name->body == "GET / ");
  });
  CHECK(server.counters().requests == 2);
  CHECK(server.connections() == 0);
}

TEST_CASE("a WebSocket echoes text and binary and closes in order") {
  world w;
  http::server server(w.b, {}, echo_handlers());
  run(w, server, [&w]() -> async::task<> {
    auto ws = co_await http::websocket_connect(w.a, url("ws://server/ws?token=x"));
    REQUIRE(ws);
    const auto talk = [](http::websocket& ws) -> async::task<> {
      CHECK(co_await ws.send_text("h\xc3\xa9llo"));
      CHECK(co_await ws.send_binary(base::bytes(70000, 7)));
      CHECK(co_await ws.send_text(""));
      auto one = co_await ws.receive();
      REQUIRE(one);
      CHECK(*one == http::websocket_message{"h\xc3\xa9llo", true});
      auto two = co_await ws.receive();
      REQUIRE(two);
      CHECK(!two->text);
      CHECK(two->data == std::string(70000, '\x07'));
      auto three = co_await ws.receive();
      REQUIRE(three);
      CHECK(three->data.empty());
      co_await ws.close(3000, "enough");
    };
    co_await async::all_of((*ws)->run(), talk(**ws));
    CHECK((*ws)->state() == http::websocket_state::closed);
    CHECK((*ws)->close_code() == 3000);
  });
}
