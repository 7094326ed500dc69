#include "registry/watched_store.hpp"

#include <doctest/doctest.h>

#include "async/async.hpp"
#include "sim/network.hpp"
#include "store/error.hpp"

using namespace strata;
using namespace std::chrono_literals;

namespace {

struct disk {
  std::optional<store::errc> trouble;
  int commits = 0;
};

class fake_store final : public store::engine {
 public:
  explicit fake_store(disk& d) : disk_(d) {}
  base::result<std::vector<store::record>> load(std::string_view) override { return std::vector<store::record>(); }
  async::task<base::result<void>> commit(store::changes) override {
    ++disk_.commits;
    if (disk_.trouble) co_return base::fail(*disk_.trouble);
    co_return base::result<void>();
  }

 private:
  disk& disk_;
};

}  // namespace

TEST_CASE("the disk is asked by writing, at most every five seconds, and its trouble is told and forgotten") {
  sim::network net(1);
  auto& h = net.add_host("registry", {"192.0.2.1"});
  disk d;
  registry::watched_store watched(h, std::make_unique<fake_store>(d));
  net.run([](disk& d, registry::watched_store& watched) -> async::task<> {
    CHECK((co_await watched.probe()).empty());
    CHECK(d.commits == 1);
    for (int i = 0; i < 100; ++i) CHECK((co_await watched.probe()).empty());
    CHECK(d.commits == 1);
    d.trouble = store::errc::disk_full;
    co_await async::sleep_for(5s);
    CHECK(!(co_await watched.probe()).empty());
    CHECK(watched.failures() == 1);
    d.trouble.reset();
    CHECK(!(co_await watched.probe()).empty());  // still the last answer
    CHECK(co_await watched.commit({{"tasks", "1", "{}"}}));
    CHECK((co_await watched.probe()).empty());  // any commit tells
    CHECK(watched.commits() == 2);
  }(d, watched));
}

TEST_CASE("a commit begins when it is called, not when it is awaited") {
  sim::network net(1);
  auto& h = net.add_host("registry", {"192.0.2.1"});
  struct eager final : store::engine {
    int& begun;
    explicit eager(int& b) : begun(b) {}
    base::result<std::vector<store::record>> load(std::string_view) override { return std::vector<store::record>(); }
    async::task<base::result<void>> commit(store::changes) override {
      ++begun;
      return []() -> async::task<base::result<void>> { co_return base::result<void>(); }();
    }
  };
  int begun = 0;
  registry::watched_store watched(h, std::make_unique<eager>(begun));
  const auto unawaited = watched.commit({});
  CHECK(begun == 1);
}
