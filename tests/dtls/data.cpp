#include <doctest/doctest.h>

#include "dtls/record.hpp"
#include "wire.hpp"

using namespace strata;
using test::side;

TEST_CASE("Ten thousand records of every size arrive once, unchanged and in order") {
  test::wire w;
  w.build();
  w.handshake();
  std::uint32_t next = 0;
  bool all_good = true;
  w.server().on_data = [&](base::byte_view d) {
    all_good = all_good && d.size() == 4 + next % 1160 && d[0] == (next >> 8 & 0xff) && d[1] == (next & 0xff) &&
               d.back() == (d.size() > 4 ? 0x77 : 0);
    ++next;
  };
  for (std::uint32_t i = 0; i < 10000; ++i) {
    base::bytes record(4 + i % 1160, 0x77);
    record[0] = static_cast<std::uint8_t>(i >> 8);
    record[1] = static_cast<std::uint8_t>(i);
    record[2] = record[3] = 0;
    CHECK(w.client().send(record));
    w.log.clear();
  }
  w.settle();
  CHECK(next == 10000);
  CHECK(all_good);
  CHECK(w.server().stats().records_received == 10000);
  CHECK(w.client().stats().records_sent == 10000);
  CHECK(w.client().stats().bytes_sent == w.server().stats().bytes_received);
  CHECK(w.server().stats().datagrams_discarded == 0);
}

// req: 8261-3-a
// req: 8261-5-b
// req: 8261-5-c
TEST_CASE("A payload of max_payload() fills the MTU, and larger ones up to a full record pass as one record too") {
  test::wire w;
  w.build();
  w.handshake();
  CHECK(w.client().max_payload() == 1200 - 37);
  for (std::size_t size : {std::size_t{1}, w.client().max_payload(), std::size_t{2000}, dtls::largest_plaintext}) {
    w.log.clear();
    REQUIRE(w.client().send(base::bytes(size, 0x5a)));
    REQUIRE(w.log.size() == 1);
    CHECK(w.log[0].data.size() == size + 37);
    w.settle();
    CHECK(w.received(side::server).back().size() == size);
  }
}

TEST_CASE("send() says false before the handshake and when the datagram was not taken, which is counted") {
  test::wire w;
  w.build();
  CHECK_FALSE(w.client().send(base::as_bytes("before the handshake")));
  w.handshake();
  w.outbox_full = true;
  CHECK_FALSE(w.client().send(base::as_bytes("nobody takes this")));
  CHECK(w.client().stats().not_transmitted == 1);
  CHECK(w.client().stats().records_sent == 0);
  w.outbox_full = false;
  CHECK(w.client().send(base::as_bytes("but this")));
  w.settle();
  CHECK(w.received(side::server).size() == 1);
}

// req: 6347-4.1.2.6-a
TEST_CASE("A repeated datagram is delivered once, however late it comes, and one that is only late is delivered") {
  test::wire w;
  w.build();
  w.handshake();
  w.log.clear();
  w.tamper = [](side, std::size_t, const base::bytes&) { return std::vector<test::wire::arrival>{}; };
  for (std::uint8_t i = 0; i < 100; ++i) w.client().send(base::bytes(1, i));
  std::vector<base::bytes> records;
  for (auto& d : w.log) records.push_back(d.data);
  const auto deliver = [&](std::size_t n) {
    w.inject(side::server, records[n]);
    w.settle();
    return w.received(side::server).size();
  };
  CHECK(deliver(50) == 1);
  CHECK(deliver(50) == 1);  // a replay
  CHECK(deliver(20) == 2);  // late, but inside the window of 64
  CHECK(deliver(20) == 2);
  CHECK(deliver(99) == 3);
  CHECK(deliver(36) == 4);  // the oldest that the window still holds
  CHECK(deliver(35) == 4);  // behind the window
  CHECK(deliver(50) == 4);
  CHECK(w.server().stats().datagrams_discarded == 4);
}

TEST_CASE("Several records in one datagram are all delivered, and a broken one among them costs only itself") {
  test::wire w;
  w.build();
  w.handshake();
  w.log.clear();
  w.tamper = [](side, std::size_t, const base::bytes&) { return std::vector<test::wire::arrival>{}; };
  for (const char* text : {"one", "two", "three"}) w.client().send(base::as_bytes(text));
  base::bytes datagram;
  for (auto& d : w.log) base::append(datagram, d.data);
  datagram[w.log[0].data.size() + 25] ^= 1;  // inside "two"
  w.inject(side::server, datagram);
  w.settle();
  REQUIRE(w.received(side::server).size() == 2);
  CHECK(w.received(side::server)[0] == base::to_bytes("one"));
  CHECK(w.received(side::server)[1] == base::to_bytes("three"));
}
