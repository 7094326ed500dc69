#include "pair.hpp"

using namespace strata;
using namespace strata::test;

TEST_CASE("two sides that connect at the same time form one association") {
  wire w;
  w.connect();
  CHECK(w.at(a).current_state() == sctp::state::established);
  CHECK(w.at(b).current_state() == sctp::state::established);
  CHECK(w.at(a).stats().streams_out == 1024);
  CHECK(w.at(b).stats().streams_in == 1024);
  CHECK(w.traces[a].states == std::vector<std::string>{"connecting", "established"});
}

TEST_CASE("a side that connects long after the other's INIT came still forms the association at once") {
  wire w;
  w.run([](wire& w) -> async::task<> {
    co_await async::with_scope(async::at_end::join, [&w](async::scope& s) -> async::task<> {
      s.spawn("early", [&w]() -> async::task<> { CHECK((co_await w.at(a).connect()).has_value()); });
      co_await async::sleep_for(300ms);
      const auto begin = w.loop.now();
      CHECK((co_await w.at(b).connect()).has_value());
      CHECK(w.loop.now() - begin <= 45ms);  // the kept INIT is answered: two round trips are enough
    });
  }(w));
}

TEST_CASE("a message crosses") {
  wire w;
  w.connect();
  inbox in(w.at(b));
  const auto data = pattern(1000);
  w.run([](wire& w, inbox& in, base::byte_view data) -> async::task<> {
    CHECK((co_await w.at(a).send(on_stream(3, data, 51))).has_value());
    co_await in.count(1);
  }(w, in, data));
  CHECK(in.messages[0].data == data);
  CHECK(in.messages[0].stream.value == 3);
  CHECK(in.messages[0].protocol.value == 51);
  CHECK(in.messages[0].ordered);
}
