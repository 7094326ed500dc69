#include <doctest/doctest.h>

#include <future>
#include <stdexcept>
#include <thread>
#include <vector>

#include "async/async.hpp"
#include "net/asio_host.hpp"

using namespace strata;

TEST_CASE("blocking work runs on a thread of its own and its awaiter goes on upon the loop") {
  net::asio_host h;
  h.run([](net::asio_host& host) -> async::task<> {
    const auto loop_thread = std::this_thread::get_id();  // lint: allow sleep: asks who we are, waits for nothing
    std::thread::id worker;
    co_await host.run_blocking([&] { worker = std::this_thread::get_id(); });  // lint: allow sleep: as above
    CHECK(worker != loop_thread);
    CHECK(std::this_thread::get_id() == loop_thread);  // lint: allow sleep: as above
    std::thread::id again;
    co_await host.run_blocking([&] { again = std::this_thread::get_id(); });  // lint: allow sleep: as above
    CHECK(again == worker);
  }(h));
}

TEST_CASE("the loop goes on while blocking work runs") {
  net::asio_host h;
  h.run([](net::asio_host& host) -> async::task<> {
    std::promise<void> go;
    co_await async::with_scope(async::at_end::join, [&](async::scope& s) -> async::task<> {
      s.spawn("waits", [&]() -> async::task<> { co_await host.run_blocking([&] { go.get_future().wait(); }); });
      s.spawn("releases", [&]() -> async::task<> {
        go.set_value();
        co_return;
      });
      co_return;
    });
  }(h));
}

TEST_CASE("blocking work is done one at a time, in the order in which it was begun") {
  net::asio_host h;
  h.run([](net::asio_host& host) -> async::task<> {
    std::vector<int> order;  // without a lock: two at a time would be a race that the sanitizer tells of
    co_await async::with_scope(async::at_end::join, [&](async::scope& s) -> async::task<> {
      for (int i = 0; i < 200; ++i)
        s.spawn("one",
                [&host, &order, i]() -> async::task<> { co_await host.run_blocking([&order, i] { order.push_back(i); }); });
      co_return;
    });
    REQUIRE(order.size() == 200);
    for (int i = 0; i < 200; ++i) CHECK(order[static_cast<std::size_t>(i)] == i);
  }(h));
}

TEST_CASE("what blocking work throws is thrown to who awaits it") {
  net::asio_host h;
  h.run([](net::asio_host& host) -> async::task<> {
    bool caught = false;
    try {
      co_await host.run_blocking([] { throw std::runtime_error("no disk"); });
    } catch (const std::runtime_error& e) {
      caught = std::string(e.what()) == "no disk";
    }
    CHECK(caught);
  }(h));
}

TEST_CASE("a cancelled awaiter is gone only when its blocking work has ended, running or still in the queue") {
  net::asio_host h;
  h.run([](net::asio_host& host) -> async::task<> {
    std::promise<void> begun, go;
    std::vector<int> ended;
    bool went_on = false;
    co_await async::with_scope(async::at_end::cancel, [&](async::scope& s) -> async::task<> {
      s.spawn("running", [&]() -> async::task<> {
        std::vector<int> in_the_frame{1, 2, 3};
        co_await host.run_blocking([&] {
          begun.set_value();
          go.get_future().wait();
          ended.push_back(in_the_frame.back());
        });
        co_await async::sleep_for(std::chrono::hours(1));
        went_on = true;
      });
      s.spawn("queued", [&]() -> async::task<> {
        std::vector<int> in_the_frame{4, 5};
        co_await host.run_blocking([&] { ended.push_back(in_the_frame.back()); });
        co_await async::sleep_for(std::chrono::hours(1));
        went_on = true;
      });
      s.spawn("released when both are cancelled", [&]() -> async::task<> {
        co_await async::finally([]() -> async::task<> { co_await async::sleep_for(std::chrono::hours(1)); }(),
                                [&]() -> async::task<> {
                                  go.set_value();
                                  co_return;
                                });
      });
      co_await async::yield();
      begun.get_future().wait();
    });
    CHECK(ended == std::vector<int>{3, 5});
    CHECK_FALSE(went_on);
  }(h));
}
