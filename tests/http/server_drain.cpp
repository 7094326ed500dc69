#include "lab.hpp"

using namespace lab;

TEST_CASE("draining: running requests are answered, idle connections end, nobody new is let in") {
  world w;
  http::server server(w.b, {}, echo_handlers());
  run(w, server, [&w, &server]() -> async::task<> {
    auto idle = co_await raw_client::connect(w);
    co_await idle.send("GET /a HTTP/1.1\r\nHost: a\r\n\r\n");
    co_await idle.until("GET /a ");
    auto busy = co_await raw_client::connect(w);
    co_await busy.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\nGET /never HTTP/1.1\r\nHost: a\r\n\r\n");
    co_await async::sleep_for(1s);
    server.drain();
    CHECK((co_await idle.rest()).empty());
    const auto answer = co_await busy.rest();
    CHECK(answer.find("GET /slow ") != std::string::npos);
    CHECK(answer.find("Connection: close") != std::string::npos);
    CHECK(answer.find("/never") == std::string::npos);
    auto late = co_await w.a.connect_tcp(w.address());
    CHECK(late.error() == base::errc::refused);
  });
}

TEST_CASE("draining closes WebSockets with 1001") {
  world w;
  http::server server(w.b, {}, echo_handlers());
  run(w, server, [&w, &server]() -> async::task<> {
    auto ws = co_await http::websocket_connect(w.a, url("ws://server/ws"));
    REQUIRE(ws);
    const auto talk = [](http::server& server, http::websocket& ws) -> async::task<> {
      CHECK(co_await ws.send_text("x"));
      CHECK(co_await ws.receive());
      server.drain();
      auto end = co_await ws.receive();
      CHECK(end.error() == http::errc::websocket_closed);
      co_await ws.closed();
      CHECK(ws.close_code() == 1001);
    };
    co_await async::all_of((*ws)->run(), talk(server, **ws));
  });
}

TEST_CASE("what has not ended when draining time is over is cut") {
  world w;
  http::server_options o;
  o.drain_time = 2s;
  http::server_handlers handlers;
  handlers.on_request = [](const http::request&) -> async::task<http::response> {
    co_await async::sleep_for(1h);
    co_return http::response();
  };
  http::server server(w.b, std::move(o), std::move(handlers));
  run(w, server, [&w, &server]() -> async::task<> {
    auto c = co_await raw_client::connect(w);
    co_await c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    co_await async::sleep_for(1s);
    const auto begin = w.net.now();
    server.drain();
    CHECK((co_await c.rest()).empty());
    CHECK(w.net.now() - begin < 3s);
  });
  CHECK(server.connections() == 0);
}

TEST_CASE("a server that is cancelled leaves nothing behind") {
  world w;
  http::server server(w.b, {}, echo_handlers());
  w.net.run([](world& w, http::server& server) -> async::task<> {
    auto listener = w.b.listen_tcp(w.address());
    REQUIRE(listener);
    const auto clients = [](world& w) -> async::task<> {
      auto ws = co_await http::websocket_connect(w.a, url("ws://server/ws"));
      REQUIRE(ws);
      auto busy = co_await raw_client::connect(w);
      co_await busy.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n");
      co_await async::sleep_for(1s);
    };
    co_await async::first_of(server.run(std::move(*listener)), clients(w));
  }(w, server));
  CHECK(server.connections() == 0);
}
