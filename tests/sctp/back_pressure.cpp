#include "pair.hpp"

using namespace strata;
using namespace strata::test;

namespace {

async::task<> send_many(wire& w, std::uint16_t stream, std::size_t count, std::size_t size, std::size_t& sent) {
  const auto data = pattern(size);
  for (; sent < count; ++sent) {
    const auto ok = co_await w.at(a).send(on_stream(stream, data));
    if (!ok) co_return;
  }
}

}  // namespace

TEST_CASE("a sender waits at the bound when the peer is gone, and no longer than the association") {
  wire w;
  w.connect();
  w.pass = [](side, std::size_t, base::byte_view) { return false; };
  std::size_t sent = 0;
  w.run([](wire& w, std::size_t& sent) -> async::task<> {
    co_await async::first_of(send_many(w, 1, 10'000, 10'000, sent), [](wire& w) -> async::task<> {
      co_await async::sleep_for(5s);
      CHECK(w.at(a).buffered_bytes() <= 512u << 10);
      CHECK(w.at(a).buffered_bytes() > 500'000);
      co_await w.at(a).closed();
    }(w));
  }(w, sent));
  CHECK(sent <= 53);
  CHECK(w.at(a).current_state() == sctp::state::closed);
  CHECK(w.at(a).error() == sctp::errc::lost);
  CHECK(w.at(a).buffered_bytes() > 500'000);  // never acknowledged
}

TEST_CASE("one busy stream leaves room in the common buffer for another") {
  wire w;
  w.connect();
  bool blocked = true;
  w.pass = [&blocked](side, std::size_t, base::byte_view) { return !blocked; };
  std::size_t bulk = 0;
  w.run([](wire& w, std::size_t& bulk, bool& blocked) -> async::task<> {
    co_await async::with_scope(async::at_end::cancel, [&](async::scope& s) -> async::task<> {
      s.spawn("bulk", [&] { return send_many(w, 1, 1000, 65536, bulk); });
      co_await async::sleep_for(50ms);
      CHECK(bulk == 8);
      CHECK(w.at(a).try_send(on_stream(1, base::as_bytes("behind"))).error() == sctp::errc::no_room);
      CHECK(w.at(a).try_send(on_stream(2, base::as_bytes("beside"))).has_value());
      blocked = false;
      co_await w.at(a).drained(sctp::stream_id(2));
      CHECK(w.at(a).buffered_bytes(sctp::stream_id(2)) == 0);
    });
  }(w, bulk, blocked));
}

TEST_CASE("a sender that is cancelled while it waits has sent nothing of its message") {
  wire w;
  w.connect();
  inbox in(w.at(b));
  w.run([](wire& w, inbox& in) -> async::task<> {
    const auto fill = pattern(256u << 10), never = pattern(200'000, 7), after = pattern(9, 9);
    bool open = false;
    w.pass = [&open](side, std::size_t, base::byte_view) { return open; };
    CHECK((co_await w.at(a).send(on_stream(1, fill))).has_value());
    CHECK((co_await w.at(a).send(on_stream(1, fill))).has_value());
    const auto gave_up = co_await async::with_timeout(100ms, w.at(a).send(on_stream(1, never)));
    CHECK(gave_up.error() == base::errc::timed_out);
    open = true;
    CHECK((co_await w.at(a).send(on_stream(1, after))).has_value());
    co_await in.count(3);
    CHECK(in.messages[2].data == after);
  }(w, in));
}

TEST_CASE("a reader that stops reading stops the sender for as long as it likes, and loses nothing") {
  wire w;
  w.connect();
  inbox in(w.at(b));
  w.at(b).set_reading(false);
  std::size_t sent = 0;
  w.run([](wire& w, inbox& in, std::size_t& sent) -> async::task<> {
    co_await async::with_scope(async::at_end::join, [&](async::scope& s) -> async::task<> {
      s.spawn("sender", [&] { return send_many(w, 1, 300, 20'000, sent); });
      co_await async::sleep_for(20min);
      CHECK(in.messages.empty());
      CHECK(sent * 20'000 <= (1u << 20) + (512u << 10) + 40'000);  // the receive window and the sender's buffer
      CHECK(sent * 20'000 >= 1'000'000);
      CHECK(w.at(a).current_state() == sctp::state::established);
      w.at(b).set_reading(true);
      co_await in.count(300);
    });
  }(w, in, sent));
  const auto data = pattern(20'000);
  for (const auto& m : in.messages) CHECK(m.data == data);
}

TEST_CASE("the association's end is noticed while nothing is read, and what had arrived is delivered") {
  wire w;
  w.connect();
  inbox in(w.at(b));
  w.at(b).set_reading(false);
  w.run([](wire& w) -> async::task<> {
    for (int i = 0; i < 5; ++i) CHECK((co_await w.at(a).send(on_stream(1, base::as_bytes("kept")))).has_value());
    co_await w.at(a).drained(sctp::stream_id(1));
    w.at(a).abort("enough");
    co_await w.at(b).closed();
  }(w));
  CHECK(in.messages.size() == 5);
  CHECK(w.at(b).reason() == "the peer sent ABORT (cause 12: enough)");
}

TEST_CASE("a message larger than the send buffer passes through it, and others follow") {
  sctp::association_config c;
  c.send_buffer = 100'000;
  c.stream_send_buffer = 100'000;
  c.max_message_size = 4u << 20;
  wire w({}, c, c);
  w.connect();
  inbox in(w.at(b));
  w.run([](wire& w, inbox& in) -> async::task<> {
    const auto big = pattern(2u << 20), small = pattern(10);
    CHECK((co_await w.at(a).send(on_stream(1, big))).has_value());
    CHECK(w.at(a).try_send(on_stream(2, small)).error() == sctp::errc::no_room);
    CHECK((co_await w.at(a).send(on_stream(2, small))).has_value());
    co_await in.count(2);
    CHECK(in.messages[0].data == big);
    CHECK(in.messages[1].data == small);
  }(w, in));
}

TEST_CASE("a stuck association does not hold up another of the same process") {
  wire w;
  w.connect();
  auto second = std::make_unique<sctp::association_config>();
  std::unique_ptr<sctp::association> c, d;
  // Two more on the same loop, joined without delay through the loop.
  async::channel<std::pair<int, base::bytes>> packets(1024);
  c = sctp::make_usrsctp_association(w.host, *second,
                                     [&](base::byte_view p) { return packets.try_send({1, base::to_bytes(p)}); }, {});
  d = sctp::make_usrsctp_association(w.host, *second,
                                     [&](base::byte_view p) { return packets.try_send({0, base::to_bytes(p)}); }, {});
  w.pass = [](side, std::size_t, base::byte_view) { return false; };
  inbox in(*d);
  w.run([](wire& w, sctp::association& c, sctp::association& d, async::channel<std::pair<int, base::bytes>>& packets,
           inbox& in) -> async::task<> {
    co_await async::with_scope(async::at_end::cancel, [&](async::scope& s) -> async::task<> {
      s.spawn("carrier", [&]() -> async::task<> {
        while (auto p = co_await packets.receive()) (p->first == 0 ? c : d).receive(p->second);
      });
      std::size_t stuck = 0;
      s.spawn("stuck", [&] { return send_many(w, 1, 1000, 60'000, stuck); });
      co_await async::all_of(c.connect(), d.connect());
      const auto data = pattern(50'000);
      for (int i = 0; i < 100; ++i) CHECK((co_await c.send(on_stream(1, data))).has_value());
      co_await in.count(100);
      CHECK(stuck < 20);
    });
  }(w, *c, *d, packets, in));
}
