#include "lab.hpp"

using namespace lab;

namespace {

// A server that answers the first connection with these octets and closes, whatever was asked.
void against(world& w, std::string octets, std::function<async::task<>()> client) {
  w.net.run([](world& w, std::string octets, std::function<async::task<>()> client) -> async::task<> {
    auto listener = w.b.listen_tcp(w.address());
    REQUIRE(listener);
    const auto serve = [](net::listener& l, std::string octets) -> async::task<> {
      auto s = co_await l.accept();
      REQUIRE(s);
      base::bytes piece(4096);
      co_await (*s)->read(piece);
      co_await (*s)->write(base::as_bytes(octets));
      co_await http::linger(**s);
    };
    co_await async::all_of(serve(**listener, std::move(octets)), client());
  }(w, std::move(octets), std::move(client)));
}

base::result<http::response> fetch_against(std::string octets, http::fetch_options o = {}) {
  world w;
  base::result<http::response> got;
  against(w, std::move(octets), [&]() -> async::task<> { got = co_await http::fetch(w.a, {.url = url("http://server/")}, o); });
  return got;
}

}  // namespace

TEST_CASE("responses with each kind of body") {
  CHECK(fetch_against("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello and more")->body == "hello");
  CHECK(fetch_against("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")->body == "hello");
  CHECK(fetch_against("HTTP/1.1 200 OK\r\n\r\nuntil the end")->body == "until the end");
  CHECK(fetch_against("HTTP/1.0 200 OK\r\n\r\nold")->body == "old");
  CHECK(fetch_against("HTTP/1.1 204 No Content\r\n\r\n")->body.empty());
  CHECK(fetch_against("HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 "
                      "OK\r\nContent-Length: 1\r\n\r\nx")
            ->status == 200);
}

TEST_CASE("responses that are none") {
  using http::errc;
  http::fetch_options small;
  small.body.bytes = 10;
  CHECK(fetch_against("").error() == errc::truncated);
  CHECK(fetch_against("HTTP/1.1 200 OK\r\n").error() == errc::truncated);
  CHECK(fetch_against("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel").error() == errc::truncated);
  CHECK(fetch_against("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel").error() == errc::truncated);
  CHECK(fetch_against("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx").error() == errc::bad_chunk);
  CHECK(fetch_against("HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world", small).error() == errc::body_too_large);
  CHECK(fetch_against("HTTP/1.1 200 OK\r\n\r\nhello world", small).error() == errc::body_too_large);
  CHECK(fetch_against("SSH-2.0-x\r\n").error() == errc::truncated);
  CHECK(fetch_against("SSH-2.0-x\r\n\r\n").error() == errc::bad_start_line);
  CHECK(fetch_against("HTTP/1.1 200 OK\r\nX: " + std::string(20000, 'x')).error() == errc::head_too_large);
  std::string hints;
  for (int i = 0; i < 20; ++i) hints += "HTTP/1.1 103 Early Hints\r\n\r\n";
  CHECK(fetch_against(hints).error() == errc::too_many_interim);
}

TEST_CASE("why a request could not be made is told apart") {
  world w;
  w.net.run([](world& w) -> async::task<> {
    CHECK((co_await http::fetch(w.a, {.url = url("http://server/")})).error() == base::errc::refused);
    CHECK((co_await http::fetch(w.a, {.url = url("http://nowhere.example/")})).error() == base::errc::not_found);
    CHECK((co_await http::fetch(w.a, {.url = url("https://server/")})).error() == http::errc::no_tls);
    http::outgoing_request injected{.url = url("http://server/")};
    injected.headers.add("X", "a\r\nHost: b");
    CHECK((co_await http::fetch(w.a, std::move(injected))).error() == http::errc::bad_field);
    http::outgoing_request method{.method = "GET / HTTP/1.1\r\nX:", .url = url("http://server/")};
    CHECK((co_await http::fetch(w.a, std::move(method))).error() == http::errc::bad_field);
  }(w));
}

TEST_CASE("a server that never answers is given up after the time-out") {
  world w;
  w.net.run([](world& w) -> async::task<> {
    auto listener = w.b.listen_tcp(w.address());
    REQUIRE(listener);
    http::fetch_options o;
    o.timeout = 3s;
    const auto begin = w.net.now();
    auto answer = co_await http::fetch(w.a, {.url = url("http://server/")}, o);
    CHECK_FALSE(answer);
    CHECK(w.net.now() - begin >= 3s);
    CHECK(w.net.now() - begin < 4s);
  }(w));
}

TEST_CASE("an address that does not answer costs a quarter of a second, not the request") {
  world w;
  w.net.add_name("twins", {*base::ip_address::parse("2001:db8::99"), *base::ip_address::parse("192.0.2.50"), w.b.address()});
  auto& dead = w.net.add_host("dead", {"192.0.2.50"});
  w.net.set_down(dead);
  http::server server(w.b, {}, echo_handlers());
  run(w, server, [&w]() -> async::task<> {
    const auto begin = w.net.now();
    auto answer = co_await http::fetch(w.a, {.url = url("http://twins/")});
    CHECK(answer);
    CHECK(w.net.now() - begin < 1s);
  });
}

TEST_CASE("https goes through what the caller gave, with the name to be checked") {
  world w;
  http::server_options o;
  int wrapped = 0;
  o.secure = true;
  o.wrap = [&wrapped](std::unique_ptr<net::stream> s) -> async::task<base::result<std::unique_ptr<net::stream>>> {
    ++wrapped;
    co_return std::move(s);
  };
  http::server_handlers handlers;
  handlers.on_request = [](const http::request& r) -> async::task<http::response> {
    co_return http::response::text(200, r.secure ? "secure" : "plain");
  };
  http::server server(w.b, std::move(o), std::move(handlers));
  run(w, server, [&w]() -> async::task<> {
    std::string name;
    http::fetch_options f;
    f.tls = [&name](std::unique_ptr<net::stream> s,
                    std::string server_name) -> async::task<base::result<std::unique_ptr<net::stream>>> {
      name = std::move(server_name);
      co_return std::move(s);
    };
    auto answer = co_await http::fetch(w.a, {.url = url("https://server:80/")}, std::move(f));
    REQUIRE(answer);
    CHECK(answer->body == "secure");
    CHECK(name == "server");
  });
  CHECK(wrapped == 1);
}

TEST_CASE("a TLS handshake that fails or hangs costs its own connection only") {
  world w;
  http::server_options o;
  o.wrap = [n = 0](std::unique_ptr<net::stream> s) mutable -> async::task<base::result<std::unique_ptr<net::stream>>> {
    if (++n == 1) co_return base::fail(base::errc::invalid);
    if (n == 2) co_await async::sleep_for(1h);
    co_return std::move(s);
  };
  http::server server(w.b, std::move(o), echo_handlers());
  run(w, server, [&w, &server]() -> async::task<> {
    auto failing = co_await raw_client::connect(w);
    CHECK((co_await failing.rest()).empty());
    auto hanging = co_await raw_client::connect(w);
    CHECK((co_await hanging.rest()).empty());
    CHECK(server.connections() == 0);
    CHECK(co_await http::fetch(w.a, {.url = url("http://server/")}));
  });
}

TEST_CASE("a WebSocket that is refused says why") {
  const std::vector<std::pair<std::string, http::errc>> table = {
      {"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n", http::errc::upgrade_unauthorised},
      {"HTTP/1.1 404 Not Found\r\n\r\n", http::errc::upgrade_not_found},
      {"HTTP/1.1 200 OK\r\n\r\n<html>", http::errc::upgrade_refused},
      {"HTTP/1.1 503 Busy\r\n\r\n", http::errc::upgrade_unavailable},
      {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: wrong\r\n\r\n",
       http::errc::bad_handshake},
      {"", http::errc::truncated},
      {"nonsense\r\n\r\n", http::errc::bad_start_line},
  };
  for (const auto& [octets, expected] : table) {
    CAPTURE(octets);
    world w;
    against(w, octets, [&w, expected]() -> async::task<> {
      auto ws = co_await http::websocket_connect(w.a, url("ws://server/ws"));
      REQUIRE_FALSE(ws);
      CHECK(ws.error() == expected);
    });
  }
}

TEST_CASE("subprotocol and headers of a WebSocket reach the server and back") {
  world w;
  http::server_handlers handlers;
  handlers.on_request = [](const http::request& r) -> async::task<http::response> {
    if (r.headers.get("X-Key") != "k") co_return http::response::unauthorised("Key");
    const std::vector<std::string> ours = {"mesh.v2", "mesh.v1"};
    co_return http::accept_websocket(r, ours);
  };
  handlers.on_websocket = [](const http::request& r, http::websocket& ws) -> async::task<> {
    co_await ws.send_text(ws.subprotocol() + " " + r.query("token").value_or(""));
  };
  http::server server(w.b, {}, std::move(handlers));
  run(w, server, [&w]() -> async::task<> {
    http::websocket_connect_options o;
    o.subprotocols = {"mesh.v3", "mesh.v1"};
    auto refused = co_await http::websocket_connect(w.a, url("ws://server/ws"), o);
    CHECK(refused.error() == http::errc::upgrade_unauthorised);
    o.headers.add("X-Key", "k");
    auto to = url("ws://server/ws?room=1");
    to.add_parameter("token", "a+b/c=");
    auto ws = co_await http::websocket_connect(w.a, std::move(to), o);
    REQUIRE(ws);
    CHECK((*ws)->subprotocol() == "mesh.v1");
    const auto talk = [](http::websocket& ws) -> async::task<> {
      auto m = co_await ws.receive();
      REQUIRE(m);
      CHECK(m->data == "mesh.v1 a+b/c=");
      CHECK_FALSE(co_await ws.receive());
    };
    co_await async::all_of((*ws)->run(), talk(**ws));
    CHECK((*ws)->close_code() == 1000);  // the server's handler returned
  });
}

TEST_CASE("plain HTTP on a WebSocket's address is told to upgrade, an unknown address gets 404") {
  world w;
  http::server_handlers handlers = echo_handlers();
  handlers.on_request = [](const http::request& r) -> async::task<http::response> {
    if (r.path != "/ws") co_return http::response::text(404, "nothing here\n");
    co_return http::accept_websocket(r);
  };
  http::server server(w.b, {}, std::move(handlers));
  run(w, server, [&w]() -> async::task<> {
    auto plain = co_await http::fetch(w.a, {.url = url("http://server/ws")});
    REQUIRE(plain);
    CHECK(plain->status == 426);
    CHECK(plain->headers.get("Upgrade") == "websocket");
    CHECK(plain->headers.lists("Connection", "upgrade"));
    auto elsewhere = co_await http::websocket_connect(w.a, url("ws://server/other"));  // req: 6455-4.2.2-d
    CHECK(elsewhere.error() == http::errc::upgrade_not_found);
  });
}
