#include "lab.hpp"

using namespace lab;
using namespace std::string_literals;

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

// req: 9112-9.3-a 9112-9.6-a
TEST_CASE("pipelined requests are answered in order, and none after Connection: close") {
  world w;
  http::server server(w.b, {}, echo_handlers());
  run(w, server, [&w]() -> async::task<> {
    auto c = co_await raw_client::connect(w);
    co_await c.send(
        "GET /slow HTTP/1.1\r\nHost: a\r\n\r\n"
        "POST /two HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
        "POST /three HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n2\r\nde\r\n0\r\n\r\n"
        "GET /four HTTP/1.1\r\nHost: a\r\n\r\n");
    const auto all = co_await c.rest();
    const auto one = all.find("GET /slow "), two = all.find("POST /two abc"), three = all.find("POST /three de");
    CHECK(one < two);
    CHECK(two < three);
    CHECK(three != std::string::npos);
    CHECK(all.find("/four") == std::string::npos);
    CHECK(all.find("Connection: close") != std::string::npos);
  });
  CHECK(server.counters().requests == 3);
}

TEST_CASE("HTTP/1.0 is answered and closed, unless it asks to stay") {
  world w;
  http::server server(w.b, {}, echo_handlers());
  run(w, server, [&w]() -> async::task<> {
    auto c = co_await raw_client::connect(w);
    co_await c.send("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    const auto first = co_await c.until("GET /a ");
    CHECK(first.find("Connection: keep-alive\r\n") != std::string::npos);
    co_await c.send("GET /b HTTP/1.0\r\n\r\n");
    const auto second = co_await c.rest();
    CHECK(second.find("GET /b ") != std::string::npos);
    CHECK(second.find("Connection: close\r\n") != std::string::npos);
  });
}

// req: 9112-2.2-b
TEST_CASE("an empty line before a request is let pass") {
  world w;
  http::server server(w.b, {}, echo_handlers());
  run(w, server, [&w]() -> async::task<> {
    auto c = co_await raw_client::connect(w);
    co_await c.send("\r\n\r\nGET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    const auto all = co_await c.rest();
    CHECK(status_of(all) == 200);
    auto flood = co_await raw_client::connect(w);
    co_await flood.send("\r\n\r\n\r\n\r\n\r\n\r\nGET /a HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(status_of(co_await flood.rest()) == 400);
  });
}

// req: 9110-9.3.2-a
TEST_CASE("HEAD gets the fields and no body, so the next response begins where it should") {
  world w;
  http::server server(w.b, {}, echo_handlers());
  run(w, server, [&w]() -> async::task<> {
    auto c = co_await raw_client::connect(w);
    co_await c.send("HEAD /x HTTP/1.1\r\nHost: a\r\n\r\nGET /y HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    const auto all = co_await c.rest();
    CHECK(all.find("Content-Length: 8\r\n") != std::string::npos);
    CHECK(all.find("HEAD /x") == std::string::npos);
    CHECK(all.find("\r\n\r\nHTTP/1.1 200 OK") != std::string::npos);
    auto head = co_await http::fetch(w.a, {.method = "HEAD", .url = url("http://server/x")});
    REQUIRE(head);
    CHECK(head->body.empty());
    CHECK(head->headers.get("Content-Length") == "8");
  });
}

TEST_CASE("a client that waits for 100 Continue gets it, and not for a body that is too large") {
  world w;
  http::server server(w.b, {}, echo_handlers());
  run(w, server, [&w]() -> async::task<> {
    auto c = co_await raw_client::connect(w);
    co_await c.send("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n");
    CHECK(co_await c.until("\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n");
    co_await c.send("hi");
    const auto answer = co_await c.rest();
    CHECK(status_of(answer) == 200);
    CHECK(answer.ends_with("POST /x hi"));
    auto large = co_await raw_client::connect(w);
    co_await large.send("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\nExpect: 100-continue\r\n\r\n");
    CHECK(status_of(co_await large.rest()) == 413);
  });
}

// req: 9110-9.1-a 9110-10.2.1-a 9110-11.6.1-a
TEST_CASE("unknown methods, methods that are not allowed, and missing authentication say what is missing") {
  world w;
  http::server server(w.b, {}, {.on_request = [](const http::request& r) -> async::task<http::response> {
                        if (r.path == "/secret") co_return http::response::unauthorised("Bearer");
                        if (r.method != "GET") co_return http::response::method_not_allowed("GET, HEAD");
                        co_return http::response::text(200, "ok");
                      }});
  run(w, server, [&w]() -> async::task<> {
    auto c = co_await raw_client::connect(w);
    co_await c.send("BREW /pot HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    CHECK(status_of(co_await c.rest()) == 501);
    auto post = co_await http::fetch(w.a, {.method = "POST", .url = url("http://server/")});
    REQUIRE(post);
    CHECK(post->status == 405);
    CHECK(post->headers.get("Allow") == "GET, HEAD");
    auto secret = co_await http::fetch(w.a, {.url = url("http://server/secret")});
    REQUIRE(secret);
    CHECK(secret->status == 401);
    CHECK(secret->headers.get("WWW-Authenticate") == "Bearer");
  });
}

TEST_CASE("a handler that throws, or answers what cannot be sent, costs one request and no more") {
  world w;
  http::server_handlers handlers = echo_handlers();
  handlers.on_request = [](const http::request& r) -> async::task<http::response> {
    if (r.path == "/inject") {
      auto answer = http::response::text(200, "x");
      answer.headers.add("X", "a\r\nSet-Cookie: b");
      co_return answer;
    }
    if (r.path == "/switch") {
      http::response answer;
      answer.status = 101;
      co_return answer;
    }
    co_return co_await echo(r);
  };
  http::server server(w.b, {}, std::move(handlers));
  run(w, server, [&w]() -> async::task<> {
    for (const auto* path : {"/throw", "/inject", "/switch"}) {
      CAPTURE(path);
      auto bad = co_await http::fetch(w.a, {.url = url(std::string("http://server") + path)});
      REQUIRE(bad);
      CHECK(bad->status == 500);
      CHECK_FALSE(bad->headers.contains("Set-Cookie"));
    }
    auto good = co_await http::fetch(w.a, {.url = url("http://server/ok")});
    REQUIRE(good);
    CHECK(good->status == 200);
  });
  CHECK(server.counters().handler_failures == 3);
}

TEST_CASE("a client that stops sending still gets its answer") {
  world w;
  http::server server(w.b, {}, echo_handlers());
  run(w, server, [&w]() -> async::task<> {
    auto c = co_await raw_client::connect(w);
    co_await c.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n");
    co_await c.stream->finish();
    CHECK(status_of(co_await c.rest()) == 200);
    auto cut = co_await raw_client::connect(w);
    co_await cut.send("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf");
    co_await cut.stream->finish();
    CHECK(status_of(co_await cut.rest()) == 400);
  });
}

TEST_CASE("bad heads are answered with their status and the connection ends") {
  world w;
  http::server server(w.b, {}, echo_handlers());
  run(w, server, [&w]() -> async::task<> {
    const std::vector<std::pair<std::string, int>> table = {
        {"GET / HTTP/1.1\r\n\r\n", 400},
        {"GET / HTTP/3.0\r\nHost: a\r\n\r\n", 505},
        {"GET / HTTP/1.1\nHost: a\n\n", 400},
        {"GET /" + std::string(9000, 'a'), 414},
        {"GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(20000, 'a'), 431},
        {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 501},
        {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz", 400},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n", 413},
        {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nfffffff\r\n", 413},
        {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"s, 400},
    };
    for (const auto& [octets, status] : table) {
      CAPTURE(octets);
      auto c = co_await raw_client::connect(w);
      co_await c.send(octets);
      CHECK(status_of(co_await c.rest()) == status);
    }
    auto good = co_await http::fetch(w.a, {.url = url("http://server/ok")});
    REQUIRE(good);
    CHECK(good->status == 200);
  });
  CHECK(server.counters().bad_requests == 10);
}
