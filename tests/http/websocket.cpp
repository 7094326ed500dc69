#include "lab.hpp"

using namespace lab;

namespace {

// A server's socket and the raw stream of the client that does as the test says.
template <class Body>
void with_server_socket(world& w, http::websocket_options o, Body body) {
  w.net.run([](world& w, http::websocket_options o, Body body) -> async::task<> {
    auto listener = w.b.listen_tcp(w.address());
    REQUIRE(listener);
    auto c = co_await raw_client::connect(w);
    auto accepted = co_await (*listener)->accept();
    REQUIRE(accepted);
    http::websocket ws(w.b, std::move(*accepted), {}, http::websocket_role::server, o);
    co_await async::all_of(ws.run(), body(ws, c));
  }(w, o, std::move(body)));
}

std::string masked(http::opcode op, std::string_view payload) {
  return std::string(base::as_text(http::make_frame(op, base::as_bytes(payload), http::masking_key{1, 2, 3, 4})));
}
std::string plain(http::opcode op, std::string_view payload) {
  return std::string(base::as_text(http::make_frame(op, base::as_bytes(payload))));
}
std::string close_payload(std::uint16_t code, std::string_view reason = {}) {
  return std::string(base::as_text(http::make_close_body(code, reason)));
}

}  // namespace

// req: 6455-5.5.2-a 6455-5.5.3-a 6455-5.1-b
TEST_CASE("pings are answered with what they carried, pongs are not") {
  world w;
  with_server_socket(w, {}, [](http::websocket& ws, raw_client& c) -> async::task<> {
    co_await c.send(masked(http::opcode::pong, "unasked") + masked(http::opcode::ping, "are you there"));
    const auto wanted = plain(http::opcode::pong, "are you there");
    CHECK(co_await c.until(wanted) == wanted);
    // Only the latest of two needs an answer.
    co_await c.send(masked(http::opcode::ping, "one") + masked(http::opcode::ping, "two"));
    CHECK(co_await c.until("two") == plain(http::opcode::pong, "two"));
    c.stream->close();
    co_await ws.closed();
    CHECK(ws.close_code() == 1006);
  });
}

// req: 6455-5.5.1-c 6455-5.5.1-d 6455-7.1.1-a
TEST_CASE("the peer's Close is echoed, and then the server closes first") {
  world w;
  with_server_socket(w, {}, [](http::websocket& ws, raw_client& c) -> async::task<> {
    co_await c.send(masked(http::opcode::text, "last") + masked(http::opcode::close, close_payload(1001, "bye")));
    CHECK(co_await c.rest() == plain(http::opcode::close, close_payload(1001)));
    c.stream->close();
    auto last = co_await ws.receive();
    REQUIRE(last);
    CHECK(last->data == "last");
    CHECK((co_await ws.receive()).error() == http::errc::websocket_closed);
    co_await ws.closed();
    CHECK(ws.close_code() == 1001);
    CHECK(ws.close_reason() == "bye");
    CHECK(ws.state() == http::websocket_state::closed);
  });
}

TEST_CASE("a Close without a code is echoed without one") {
  world w;
  with_server_socket(w, {}, [](http::websocket& ws, raw_client& c) -> async::task<> {
    co_await c.send(masked(http::opcode::close, ""));
    CHECK(co_await c.rest() == plain(http::opcode::close, ""));
    c.stream->close();
    co_await ws.closed();
    CHECK(ws.close_code() == 1005);
  });
}

// req: 6455-7.1.7-a 6455-7.1.7-b
TEST_CASE("a broken frame is answered with the Close that names it, and nothing after it counts") {
  const std::vector<std::pair<std::string, std::uint16_t>> table = {
      {plain(http::opcode::text, "not masked"), 1002},
      {masked(http::opcode::text, "\xff"), 1007},
      {masked(http::opcode::text, std::string(5000, 'x')), 1009},
      {"\x83\x80xxxx", 1002},
  };
  for (const auto& [octets, code] : table) {
    CAPTURE(code);
    world w;
    http::websocket_options o;
    o.max_message = 1000;
    with_server_socket(w, o, [&octets, code](http::websocket& ws, raw_client& c) -> async::task<> {
      co_await c.send(octets + masked(http::opcode::text, "late"));
      const auto answer = co_await c.rest();
      c.stream->close();
      const auto parsed = http::parse_frame_header(base::as_bytes(answer));
      REQUIRE(parsed);
      REQUIRE(*parsed);
      CHECK((*parsed)->header.op == http::opcode::close);
      const auto body = http::parse_close(base::as_bytes(answer).subspan((*parsed)->size));
      REQUIRE(body);
      CHECK(body->code == code);
      CHECK_FALSE(co_await ws.receive());
      CHECK(ws.close_code() == code);
    });
  }
}

// req: 6455-5.5.1-b 6455-6.1-a
TEST_CASE("what was sent before close() leaves before the Close, and nothing after it") {
  world w;
  with_server_socket(w, {}, [](http::websocket& ws, raw_client& c) -> async::task<> {
    for (int i = 0; i < 100; ++i) CHECK(ws.try_send_text("message"));
    ws.start_close(4000, "done");
    CHECK_FALSE(ws.try_send_text("late"));
    CHECK((co_await ws.send_text("late")).error() == http::errc::websocket_closed);
    std::string wanted;
    for (int i = 0; i < 100; ++i) wanted += plain(http::opcode::text, "message");
    wanted += plain(http::opcode::close, close_payload(4000, "done"));
    CHECK(co_await c.until("done") == wanted);
    co_await c.send(masked(http::opcode::text, "crossing") + masked(http::opcode::close, close_payload(4000)));
    CHECK((co_await c.rest()).empty());
    c.stream->close();
    co_await ws.closed();
    CHECK(ws.close_code() == 4000);
  });
}

// req: 6455-7.4.1-a
TEST_CASE("codes that must not be on the wire are not") {
  for (const std::uint16_t code : {0, 999, 1004, 1005, 1006, 1015, 2999, 5000}) {
    world w;
    with_server_socket(w, {}, [code](http::websocket& ws, raw_client& c) -> async::task<> {
      ws.start_close(code);
      CHECK(co_await c.until("\x03\xe8") == plain(http::opcode::close, close_payload(1000)));
      c.stream->close();
      co_await ws.closed();
    });
  }
}

TEST_CASE("a peer that does not answer our Close is left after a while") {
  world w;
  with_server_socket(w, {}, [&w](http::websocket& ws, raw_client& c) -> async::task<> {
    const auto begin = w.net.now();
    co_await ws.close();
    CHECK(w.net.now() - begin >= 5s);
    CHECK(w.net.now() - begin <= 11s);
    CHECK(ws.close_code() == 1006);
    c.stream->close();
  });
}

TEST_CASE("a peer that is doubted is asked at once, and has three seconds") {
  world w;
  with_server_socket(w, {}, [&w](http::websocket& ws, raw_client& c) -> async::task<> {
    co_await async::sleep_for(1s);
    ws.doubt();
    co_await c.until(plain(http::opcode::ping, ""));
    co_await c.send(masked(http::opcode::pong, ""));
    co_await async::sleep_for(5s);
    CHECK(ws.state() == http::websocket_state::open);
    const auto begin = w.net.now();
    ws.doubt();
    co_await ws.closed();
    CHECK(w.net.now() - begin <= 4s);
    CHECK(ws.close_reason() == "no answer to a ping");
  });
}

TEST_CASE("a dead peer is noticed by its silence, a living one is not disturbed") {
  world w;
  with_server_socket(w, {}, [&w](http::websocket& ws, raw_client& c) -> async::task<> {
    for (int i = 0; i < 10; ++i) {
      co_await c.until(plain(http::opcode::ping, ""));
      co_await c.send(masked(http::opcode::pong, ""));
    }
    CHECK(ws.state() == http::websocket_state::open);
    const auto begin = w.net.now();
    co_await ws.closed();
    CHECK(w.net.now() - begin <= 31s);
    CHECK(ws.close_code() == 1006);
    CHECK(ws.close_reason() == "no answer to a ping");
  });
}

TEST_CASE("a program that does not receive stops the peer, and is not taken for a dead one") {
  world w;
  http::websocket_options o;
  o.inbox_bytes = 10000;
  with_server_socket(w, o, [](http::websocket& ws, raw_client& c) -> async::task<> {
    const auto flood = [](raw_client& c) -> async::task<> {
      for (int i = 0; i < 1000; ++i) co_await c.send(masked(http::opcode::binary, std::string(1000, 'x')));
      co_await c.send(masked(http::opcode::close, close_payload(1000)));
      co_await c.rest();
      c.stream->close();
    };
    const auto late = [](http::websocket& ws) -> async::task<> {
      co_await async::sleep_for(10min);
      CHECK(ws.state() == http::websocket_state::open);
      int received = 0;
      for (;;) {
        auto m = co_await ws.receive();
        if (!m) break;
        ++received;
      }
      CHECK(received == 1000);
    };
    co_await async::all_of(flood(c), late(ws));
  });
}

TEST_CASE("the outbox is bounded in bytes: send waits, try_send says no") {
  world w;
  http::websocket_options o;
  o.outbox_bytes = 10000;
  o.ping_every = 0s;
  with_server_socket(w, o, [](http::websocket& ws, raw_client& c) -> async::task<> {
    std::size_t sent = 0;
    const std::string piece(1000, 'x');
    // The peer's window takes what it takes; then the outbox fills up.
    while (co_await async::with_timeout(1s, ws.send_text(piece))) ++sent;
    CHECK_FALSE(ws.try_send_text(piece));
    CHECK(ws.queued_bytes() <= 10000 + 65536);
    CHECK(ws.counters().outbox_full == 1);
    const auto read_all = [](raw_client& c, std::size_t wanted) -> async::task<> {
      base::bytes buffer(65536);
      std::size_t got = 0;
      while (got < wanted) {
        const auto n = co_await c.stream->read(buffer);
        REQUIRE(n);
        got += *n;
      }
    };
    co_await read_all(c, sent * 1004);
    CHECK(ws.try_send_text(piece));
    c.stream->close();
    co_await ws.closed();
  });
}

TEST_CASE("a message larger than the outbox goes alone") {
  world w;
  http::websocket_options o;
  o.outbox_bytes = 1000;
  with_server_socket(w, o, [](http::websocket& ws, raw_client& c) -> async::task<> {
    CHECK(ws.try_send_binary(base::bytes(5000, 'x')));
    CHECK_FALSE(ws.try_send_binary(base::bytes(1)));
    CHECK((co_await c.until(std::string(5000, 'x'))).size() == 5004);
    c.stream->close();
    co_await ws.closed();
  });
}

TEST_CASE("text that is not UTF-8 is not sent") {
  world w;
  with_server_socket(w, {}, [](http::websocket& ws, raw_client& c) -> async::task<> {
    CHECK((co_await ws.send_text("\xff")).error() == base::errc::invalid);
    CHECK_FALSE(ws.try_send_text("\xff"));
    c.stream->close();
    co_await ws.closed();
  });
}

TEST_CASE("receivers and senders of a socket that is given up do not wait for ever") {
  world w;
  w.net.run([](world& w) -> async::task<> {
    auto listener = w.b.listen_tcp(w.address());
    REQUIRE(listener);
    auto c = co_await raw_client::connect(w);
    auto accepted = co_await (*listener)->accept();
    REQUIRE(accepted);
    http::websocket ws(w.b, std::move(*accepted), {}, http::websocket_role::server, {});
    const auto run_for_a_while = [](http::websocket& ws) -> async::task<> {
      const auto ran = co_await async::with_timeout(1s, ws.run());
      CHECK_FALSE(ran);
    };
    const auto receive = [](http::websocket& ws) -> async::task<> {
      CHECK((co_await ws.receive()).error() == http::errc::websocket_closed);
    };
    co_await async::all_of(run_for_a_while(ws), receive(ws), ws.closed());
    CHECK(ws.state() == http::websocket_state::closed);
    CHECK((co_await ws.send_text("x")).error() == http::errc::websocket_closed);
    co_await ws.close();
  }(w));
}

TEST_CASE("frames that came behind the handshake are not lost") {
  world w;
  w.net.run([](world& w) -> async::task<> {
    auto listener = w.b.listen_tcp(w.address());
    REQUIRE(listener);
    auto c = co_await raw_client::connect(w);
    auto accepted = co_await (*listener)->accept();
    REQUIRE(accepted);
    http::websocket ws(w.b, std::move(*accepted), base::to_bytes(masked(http::opcode::text, "early")),
                       http::websocket_role::server, {});
    const auto receive = [](http::websocket& ws, raw_client& c) -> async::task<> {
      auto m = co_await ws.receive();
      REQUIRE(m);
      CHECK(m->data == "early");
      c.stream->close();
    };
    co_await async::all_of(ws.run(), receive(ws, c));
  }(w));
}
