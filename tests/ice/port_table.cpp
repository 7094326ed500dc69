// Whose a datagram is that arrives on a shared port: the rules alone.
#include "ice/port_table.hpp"

#include <doctest/doctest.h>

#include "ice/check_message.hpp"
#include "stun/short_term.hpp"

using namespace strata;
using namespace strata::ice;
using namespace std::chrono_literals;

namespace {

const base::endpoint r1 = *base::endpoint::parse("192.0.2.1:5000"), r2 = *base::endpoint::parse("192.0.2.2:5000");
const base::bytes data = {20, 254, 253, 0};
const auto key = stun::short_term_key("password");

stun::transaction_id id(std::uint32_t n) {
  stun::transaction_id t{};
  for (std::size_t i = 0; i < 4; ++i) t[i] = static_cast<std::uint8_t>(n >> 8 * i);
  return t;
}
base::bytes check(std::string username, std::uint32_t n) {
  return encode_check({.username = std::move(username), .sender = {}}, id(n), key);
}
base::bytes answer(std::uint32_t n) { return encode_success(id(n), r1, key); }

struct bench {
  port_table table;
  base::instant now{1000s};
  port_table::sharer one = *table.add("onee"), two = *table.add("twoo");

  explicit bench(port_table::limits l = {}) : table(l) {}
  void send(port_table::sharer s, const base::endpoint& to, const base::bytes& d) { table.on_send(s, to, d, now); }
  std::optional<port_table::sharer> whose(const base::endpoint& from, const base::bytes& d) {
    return table.whose(from, d, now).whose;
  }
};

}  // namespace

TEST_CASE("requests go to the fragment that comes first in their name, whoever sends them") {
  bench b;
  CHECK(b.whose(r1, check("onee:xxxx", 1)) == b.one);
  CHECK(b.whose(r1, check("twoo:onee", 2)) == b.two);
  CHECK(b.whose(r2, check("twoo", 3)) == b.two);
  for (const auto* name : {"", ":onee", "one:onee", "oneee:x", "nobody:onee"}) CHECK_FALSE(b.whose(r1, check(name, 4)));
  // An address that talks to one changes nothing about requests for the other.
  b.send(b.one, r1, data);
  CHECK(b.whose(r1, check("twoo:xxxx", 5)) == b.two);
}

TEST_CASE("responses go to who asked, for as long as an answer may come, and from wherever it does") {
  bench b;
  b.send(b.one, r1, check("peer:onee", 1));
  b.send(b.two, r1, check("peer:twoo", 2));
  CHECK(b.whose(r1, answer(1)) == b.one);
  CHECK(b.whose(r2, answer(2)) == b.two);
  CHECK_FALSE(b.whose(r1, answer(3)));
  b.now += 40s;
  CHECK(b.whose(r1, answer(1)) == b.one);
  b.now += 21s;
  CHECK_FALSE(b.whose(r1, answer(1)));
  b.send(b.one, r1, check("peer:onee", 4));
  CHECK(b.table.transactions() == 2);  // what has expired goes when there is something new
}

TEST_CASE("data goes to who sent data there last; checks claim nothing") {
  bench b;
  CHECK_FALSE(b.whose(r1, data));
  b.send(b.one, r1, check("peer:onee", 1));
  CHECK_FALSE(b.whose(r1, data));
  b.send(b.one, r1, data);
  CHECK(b.whose(r1, data) == b.one);
  CHECK_FALSE(b.whose(r2, data));
  b.send(b.two, r1, data);
  CHECK(b.whose(r1, data) == b.two);
  CHECK(b.table.claims() == 1);
}

TEST_CASE("an answered check claims an address that nobody has, and takes none away from who uses it") {
  bench b;
  b.send(b.one, r1, answer(1));
  CHECK(b.whose(r1, data) == b.one);
  b.send(b.two, r1, answer(2));
  CHECK(b.whose(r1, data) == b.one);
  b.send(b.two, r1, encode_error(*stun::message_view::parse(check("twoo:x", 3)), 487, key));
  CHECK(b.whose(r1, data) == b.one);
  // A peer of two says that it is where one's peer is, for minutes. One's consent checks keep the claim.
  b.send(b.one, r1, data);
  for (int n = 0; n < 60; ++n) {
    b.now += 5s;
    b.send(b.one, r1, check("peer:onee", 10));
    b.send(b.two, r1, answer(11));
    CHECK(b.whose(r1, data) == b.one);
  }
  b.now += 31s;  // one has given up without a word
  CHECK(b.whose(r1, data) == b.one);
  b.send(b.two, r1, answer(12));
  CHECK(b.whose(r1, data) == b.two);
}

TEST_CASE("who leaves is forgotten, and an address goes to who had to stand back") {
  bench b;
  b.send(b.one, r1, data);
  b.send(b.one, r2, data);
  b.send(b.one, r1, check("peer:onee", 1));
  b.send(b.two, r1, answer(2));
  b.table.remove(b.one);
  CHECK_FALSE(b.whose(r1, answer(1)));
  CHECK_FALSE(b.whose(r1, check("onee:x", 3)));
  CHECK_FALSE(b.whose(r2, data));
  CHECK(b.whose(r1, data) == b.two);
  const auto again = b.table.add("onee");
  REQUIRE(again);
  CHECK(*again != b.one);
  b.table.remove(b.two);
  b.table.remove(b.two);
  b.table.remove(*again);
  CHECK(b.table.sharers() + b.table.claims() + b.table.transactions() == 0);
}

TEST_CASE("a fragment is given once, and there are so many") {
  bench b({.sharers = 3});
  CHECK(b.table.add("onee").error() == base::errc::in_use);
  CHECK(b.table.add("").error() == base::errc::invalid);
  CHECK(b.table.add("three"));
  CHECK(b.table.add("four").error() == base::errc::would_block);
}

TEST_CASE("a sharer's questions and claims are bounded: the oldest go, and firm claims last") {
  bench b({.transactions = 10, .claims = 4});
  for (std::uint32_t n = 0; n < 1000; ++n) b.send(b.one, r1, check("peer:onee", n));
  b.send(b.two, r1, check("peer:twoo", 5000));
  CHECK(b.table.transactions() == 11);
  CHECK_FALSE(b.whose(r1, answer(989)));
  CHECK(b.whose(r1, answer(990)) == b.one);
  CHECK(b.whose(r1, answer(5000)) == b.two);

  b.send(b.one, r1, data);
  b.send(b.two, r2, data);
  // A peer that knows our password pretends to be everywhere.
  for (std::uint16_t port = 1; port < 1000; ++port) {
    b.now += 1ms;
    b.send(b.one, {base::ip_address::v4(203, 0, 113, 9), port}, answer(port));
  }
  CHECK(b.table.claims() == 5);
  CHECK(b.whose(r1, data) == b.one);
  CHECK(b.whose(r2, data) == b.two);
  CHECK(b.whose({base::ip_address::v4(203, 0, 113, 9), 999}, data) == b.one);
  CHECK_FALSE(b.whose({base::ip_address::v4(203, 0, 113, 9), 1}, data));
}

TEST_CASE("what is damaged is nobody's, and the reason is told") {
  bench b;
  b.send(b.one, r1, data);
  const auto why = [&](const base::bytes& d) { return b.table.whose(r1, d, b.now).why_nobody; };
  CHECK(why({}) == "an empty datagram");
  CHECK(why({0}) == "not STUN");
  CHECK(why(base::bytes(20, 1)) == "not STUN");
  auto cut = check("onee:x", 1);
  cut.pop_back();
  CHECK(why(cut) == "not STUN");
  CHECK(why(answer(7)) == "a response that nobody waits for");
  CHECK(why(check("zzzz:x", 1)) == "a request for a fragment that nobody has");
}
