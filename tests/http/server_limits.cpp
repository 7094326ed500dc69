#include "lab.hpp"

using namespace lab;

TEST_CASE("a head that comes drop by drop is cut off after five seconds") {
  world w;
  http::server server(w.b, {}, echo_handlers());
  run(w, server, [&w]() -> async::task<> {
    const auto begin = w.net.now();
    auto c = co_await raw_client::connect(w);
    const auto drip = [](raw_client& c) -> async::task<> {
      for (int i = 0; i < 100; ++i) {
        const auto sent = co_await c.stream->write(base::as_bytes("G"));
        if (!sent) co_return;
        co_await async::sleep_for(1s);
      }
    };
    const auto listen = [](world& w, raw_client& c, base::instant begin) -> async::task<> {
      CHECK(status_of(co_await c.rest()) == 408);
      CHECK(w.net.now() - begin < 7s);
      c.stream->close();
    };
    co_await async::all_of(drip(c), listen(w, c, begin));
  });
}

TEST_CASE("a connection that says nothing is closed without a word, at first and between requests") {
  world w;
  http::server server(w.b, {}, echo_handlers());
  run(w, server, [&w]() -> async::task<> {
    const auto begin = w.net.now();
    auto silent = co_await raw_client::connect(w);
    CHECK((co_await silent.rest()).empty());
    CHECK(w.net.now() - begin < 7s);
    const auto again = w.net.now();
    auto kept = co_await raw_client::connect(w);
    co_await kept.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    co_await kept.until("GET / ");
    CHECK((co_await kept.rest()).empty());
    CHECK(w.net.now() - again > 59s);
    CHECK(w.net.now() - again < 63s);
  });
}

TEST_CASE("a body that drips is cut off, a slow and steady one is not") {
  world w;
  http::server server(w.b, {}, echo_handlers());
  run(w, server, [&w]() -> async::task<> {
    const auto upload = [](raw_client& c, std::size_t piece, std::size_t pieces) -> async::task<> {
      co_await c.send("POST /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: " + std::to_string(piece * pieces) +
                      "\r\n\r\n");
      for (std::size_t i = 0; i < pieces; ++i) {
        co_await async::sleep_for(1s);
        const std::string data(piece, 'x');
        const auto sent = co_await c.stream->write(base::as_bytes(data));
        if (!sent) co_return;
      }
    };
    const auto expect = [](raw_client& c, int status) -> async::task<> {
      CHECK(status_of(co_await c.rest()) == status);
      c.stream->close();
    };
    auto dripping = co_await raw_client::connect(w);
    co_await async::all_of(upload(dripping, 10, 100), expect(dripping, 408));
    auto steady = co_await raw_client::connect(w);
    co_await async::all_of(upload(steady, 1100, 100), expect(steady, 200));
  });
}

TEST_CASE("a client that does not take its answer is given up") {
  world w;
  http::server_options o;
  o.body.bytes = 4 << 20;
  http::server_handlers handlers;
  handlers.on_request = [](const http::request&) -> async::task<http::response> {
    co_return http::response::text(200, std::string(2 << 20, 'x'));
  };
  o.body.least_rate = 1 << 20;
  http::server server(w.b, std::move(o), std::move(handlers));
  run(w, server, [&w, &server]() -> async::task<> {
    auto c = co_await raw_client::connect(w);
    co_await c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    co_await async::sleep_for(60s);
    CHECK(server.connections() == 0);
  });
}

TEST_CASE("one address cannot take all connections") {
  world w;
  auto& other = w.net.add_host("other", {"192.0.2.3"});
  http::server_options o;
  o.max_connections = 6;
  o.max_connections_per_address = 4;
  http::server server(w.b, std::move(o), echo_handlers());
  run(w, server, [&w, &other, &server]() -> async::task<> {
    std::vector<raw_client> clients;
    for (int i = 0; i < 5; ++i) clients.push_back(co_await raw_client::connect(w));
    CHECK((co_await clients.back().rest()).empty());
    CHECK(server.connections() == 4);
    CHECK(server.counters().refused == 1);
    auto answer = co_await http::fetch(other, {.url = url("http://192.0.2.2/")});
    CHECK(answer);
    clients.clear();
    co_await async::sleep_for(1s);
    CHECK(server.connections() == 0);
    for (int i = 0; i < 4; ++i) clients.push_back(co_await raw_client::connect(w));
    co_await async::sleep_for(1s);
    CHECK(server.connections() == 4);
    clients.clear();
  });
}

TEST_CASE("the addresses of one IPv6 network count as one") {
  world w;
  http::server_options o;
  o.max_connections_per_address = 2;
  http::server server(w.b, std::move(o), echo_handlers());
  auto& x = w.net.add_host("x", {"2001:db8:1::1"});
  auto& y = w.net.add_host("y", {"2001:db8:1::2"});
  auto& z = w.net.add_host("z", {"2001:db8:2::1"});
  w.net.run([](world& w, http::server& server, sim::host& x, sim::host& y, sim::host& z) -> async::task<> {
    auto listener = w.b.listen_tcp({w.b.address(1), 80});
    REQUIRE(listener);
    const auto clients = [](world& w, http::server& server, sim::host& x, sim::host& y, sim::host& z) -> async::task<> {
      const base::endpoint to{w.b.address(1), 80};
      auto one = co_await x.connect_tcp(to);
      auto two = co_await y.connect_tcp(to);
      co_await async::sleep_for(1s);
      CHECK(server.connections() == 2);
      auto three = co_await y.connect_tcp(to);
      auto four = co_await z.connect_tcp(to);
      co_await async::sleep_for(1s);
      CHECK(server.connections() == 3);
      CHECK(server.counters().refused == 1);
      server.drain();
    };
    co_await async::all_of(server.run(std::move(*listener)), clients(w, server, x, y, z));
  }(w, server, x, y, z));
}
