#include "virtual_loop.hpp"

using namespace strata;
using namespace std::chrono_literals;
using async::task;

namespace {

std::string line_of(const std::string& tree, std::string_view word) {
  const auto at = tree.find(word);
  if (at == tree.npos) return {};
  const auto begin = tree.rfind('\n', at) + 1;
  return tree.substr(begin, tree.find('\n', at) - begin);
}

}  // namespace

TEST_CASE("the task tree names every fiber, where it was made, the lines it waits at and for what") {
  virtual_loop loop;
  async::event e;
  async::channel<int> c(1);
  unsigned waits_at = 0;
  const auto inner = [&]() -> task<> {
    waits_at = __LINE__ + 1;
    co_await e.wait();
  };
  const auto body = [&]() -> task<> {
    co_await async::with_scope(async::at_end::cancel, [&](async::scope& s) -> task<> {
      s.spawn("reader", [&]() -> task<> { co_await c.receive(); });
      s.spawn("waiter", [&]() -> task<> { co_await inner(); });
      co_await async::sleep_for(1h);
    });
  };
  async::root_task<void> root(loop, "the root", body());
  loop.run_ready();
  const auto tree = loop.task_tree();
  CAPTURE(tree);
  CHECK(tree.starts_with("the root (tree.cpp:"));
  CHECK(line_of(tree, "the root").ends_with(": scope"));
  CHECK(line_of(tree, "reader").starts_with("  reader (tree.cpp:"));
  CHECK(line_of(tree, "reader").ends_with(": channel receive"));
  CHECK(line_of(tree, "waiter").ends_with("tree.cpp:" + std::to_string(waits_at) + ": event"));
  CHECK(line_of(tree, "scope body").starts_with("  scope body (tree.cpp:"));
  CHECK(line_of(tree, "scope body").ends_with(": timer"));
  CHECK(tree.find("reader") < tree.find("waiter"));  // in the order in which they were made
  CHECK(tree.find("cancelling") == tree.npos);
  root.request_cancel();
  CHECK(loop.task_tree().find("the root (tree.cpp:") != std::string::npos);
  CHECK(line_of(loop.task_tree(), "the root").find("[cancelling]") != std::string::npos);
  loop.run();
  CHECK(root.done());
}
