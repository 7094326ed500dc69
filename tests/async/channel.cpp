#include "virtual_loop.hpp"

using namespace strata;
using namespace std::chrono_literals;
using async::task;

namespace {

std::size_t length(const std::string& s) { return s.size(); }

task<> send_all(async::channel<std::string>& c, std::vector<std::string> items, journal& log) {
  for (auto& item : items) {
    const auto text = item;
    const bool sent = co_await c.send(std::move(item));
    log.push_back((sent ? "sent " : "not sent ") + text);
  }
}

}  // namespace

TEST_CASE("the bound is a weight, and an item too heavy for it passes alone") {
  async::channel<std::string> c(10, length);
  CHECK(c.try_send(std::string(6, 'a')));
  CHECK(c.try_send(std::string(4, 'b')));
  CHECK(c.weight() == 10);
  std::string refused(1, 'c');
  CHECK_FALSE(c.try_send(std::move(refused)));
  CHECK(refused == "c");  // untouched
  c.try_receive();
  c.try_receive();
  CHECK(c.weight() == 0);
  CHECK(c.try_send(std::string(100, 'x')));
  CHECK_FALSE(c.try_send(std::string()));  // weighs nothing, and there is no room
}

TEST_CASE("senders wait for room and are served in order") {
  virtual_loop loop;
  async::channel<std::string> c(4, length);
  journal log;
  async::root_task<void> a(loop, "a", send_all(c, {"aaaa", "bb", "c"}, log));
  async::root_task<void> b(loop, "b", send_all(c, {"d"}, log));
  loop.run();
  CHECK(log == journal{"sent aaaa"});
  CHECK_FALSE(c.try_send("e"));  // nobody overtakes those who wait
  CHECK(c.try_receive() == "aaaa");
  loop.run();
  CHECK(log == journal{"sent aaaa", "sent bb", "sent c", "sent d"});
  CHECK(c.try_receive() == "bb");
  CHECK(c.try_receive() == "d");
  CHECK(c.try_receive() == "c");
  CHECK(c.try_receive() == std::nullopt);
  CHECK(a.done());
  CHECK(b.done());
}

TEST_CASE("a heavy sender that gives up lets the lighter ones behind it in") {
  virtual_loop loop;
  async::channel<std::string> c(4, length);
  journal log;
  CHECK(c.try_send("aaa"));
  async::root_task<void> heavy(loop, "heavy", send_all(c, {"bbbb"}, log));
  loop.run();
  async::root_task<void> light(loop, "light", send_all(c, {"c"}, log));
  loop.run();
  CHECK(log.empty());
  heavy.request_cancel();
  loop.run();
  CHECK(log == journal{"sent c"});
}

TEST_CASE("a receiver that waits is handed the item, and several are served in order") {
  virtual_loop loop;
  async::channel<int> c(1);
  std::vector<int> got;
  const auto receive = [](async::channel<int>& c, std::vector<int>& got, int mark) -> task<> {
    got.push_back(mark + *co_await c.receive());
  };
  async::root_task<void> a(loop, "a", receive(c, got, 10));
  async::root_task<void> b(loop, "b", receive(c, got, 20));
  loop.run();
  CHECK(c.try_send(1));
  CHECK(c.try_send(2));  // no need for room: both were handed over
  CHECK(c.try_send(3));
  loop.run();
  CHECK(got == std::vector<int>{11, 22});
  CHECK(c.size() == 1);
}

TEST_CASE("after close receivers drain what is left, senders are told, and closing again changes nothing") {
  virtual_loop loop;
  async::channel<std::string> c(2, length);
  journal log;
  async::root_task<void> sender(loop, "sender", send_all(c, {"aa", "bb"}, log));
  loop.run();
  c.close();
  c.close();
  loop.run();
  CHECK(log == journal{"sent aa", "not sent bb"});
  CHECK_FALSE(c.try_send("x"));
  const auto drain = [](auto& c) -> task<int> {
    int n = 0;
    while (co_await c.receive()) ++n;
    co_return n;
  };
  CHECK(loop.run(drain(c)) == 1);
  CHECK(loop.run(drain(c)) == 0);
  async::channel<int> empty(1);
  async::root_task<int> waiting(loop, "waiting", drain(empty));
  loop.run();
  empty.close();
  loop.run();
  CHECK(waiting.take() == 0);
}

TEST_CASE("whatever is cancelled when, no item is lost and none arrives twice") {
  // Two senders and two receivers with time-outs that cut into every phase.
  for (int phase = 0; phase < 12; ++phase) {
    virtual_loop loop;
    async::channel<int> c(2);
    std::vector<int> sent, received;
    const auto producer = [](async::channel<int>& c, std::vector<int>& sent, int first) -> task<> {
      for (int n = first; n < first + 20; ++n) {
        const auto push = [](async::channel<int>& c, std::vector<int>& sent, int n) -> task<> {
          if (co_await c.send(n)) sent.push_back(n);
        };
        co_await async::with_timeout(std::chrono::milliseconds(1 + n % 3), push(c, sent, n));
        if (n % 4 == 0) co_await async::sleep_for(2ms);
      }
    };
    const auto consumer = [](async::channel<int>& c, std::vector<int>& received, int pace) -> task<> {
      const auto pull = [](async::channel<int>& c) -> task<int> { co_return (co_await c.receive()).value_or(-1); };
      for (;;) {
        const auto got = co_await async::with_timeout(std::chrono::milliseconds(pace), pull(c));
        if (got == -1) co_return;
        if (got) received.push_back(*got);
        co_await async::sleep_for(std::chrono::milliseconds(pace % 3));
      }
    };
    const auto body = [&]() -> task<> {
      co_await async::with_scope(async::at_end::join, [&](async::scope& s) -> task<> {
        s.spawn("c1", consumer, std::ref(c), std::ref(received), 1 + phase % 4);
        s.spawn("c2", consumer, std::ref(c), std::ref(received), 1 + phase / 4);
        co_await async::all_of(producer(c, sent, 0), producer(c, sent, 100));
        co_await async::sleep_for(100ms);
        c.close();
      });
    };
    loop.run(body());
    std::ranges::sort(sent);
    std::ranges::sort(received);
    CHECK(sent == received);
    CHECK(sent.size() > 5);
  }
}
