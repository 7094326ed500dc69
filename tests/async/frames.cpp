#include "virtual_loop.hpp"

using namespace strata;
using namespace std::chrono_literals;
using async::task;

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define STRATA_FRAMES_ARE_RECYCLED 0
#endif
#endif
#ifndef STRATA_FRAMES_ARE_RECYCLED
#define STRATA_FRAMES_ARE_RECYCLED 1
#endif

namespace {

task<int> leaf_task(int n) {
  co_await async::yield();
  co_return n;
}
task<int> add(int n) {
  const int a = co_await leaf_task(n);
  const int b = co_await leaf_task(n);
  co_return a + b;
}

}  // namespace

TEST_CASE("every frame is given back, also those of tasks that were cancelled or never awaited") {
  const auto before = async::frame_counts().live;
  {
    virtual_loop loop;
    CHECK(loop.run(add(2)) == 4);
    async::root_task<void> root(loop, "root", []() -> task<> { co_await async::sleep_for(1h); }());
    loop.run_ready();
    root.request_cancel();
    loop.run();
    auto unused = add(1);
  }
  CHECK(async::frame_counts().live == before);
}

TEST_CASE("a steady state takes no frame from the heap") {
  virtual_loop loop;
  loop.run(add(1));
  const auto warm = async::frame_counts();
  loop.run([]() -> task<> {
    for (int i = 0; i < 1000; ++i) co_await add(i);
  }());
  const auto after = async::frame_counts();
  if (STRATA_FRAMES_ARE_RECYCLED) {
    CHECK(after.fresh - warm.fresh <= 1);
    CHECK(after.recycled - warm.recycled >= 3000);
  } else {
    CHECK(after.fresh - warm.fresh >= 3000);  // AddressSanitizer sees each one
  }
}
