// How an operation of the outside world becomes awaitable. docs/async.md quotes this file.
#include <cstdio>
#include <deque>
#include <functional>
#include <utility>

#include "async/async.hpp"
#include "sim/loop.hpp"

using namespace strata;
using namespace std::chrono_literals;

// Somebody else's library: begins a job, calls back later, can be asked to give up.
class jobs {
 public:
  using handler = std::function<void(bool gave_up, int answer)>;
  int begin(handler h) {
    pending_.push_back({++last_id_, std::move(h)});
    return last_id_;
  }
  void give_up(int id) {
    for (auto& p : pending_)
      if (p.id == id) p.gave_up = true;
  }
  void work() {  // some turn later, as a thread of the library would have it
    auto now = std::exchange(pending_, {});
    for (auto& p : now) p.call(p.gave_up, p.gave_up ? 0 : p.id * 10);
  }

 private:
  struct job {
    int id;
    handler call;
    bool gave_up = false;
  };
  std::deque<job> pending_;
  int last_id_ = 0;
};

class job_await final : public async::leaf {
 public:
  explicit job_await(jobs& j) : jobs_(j) {}
  int await_resume() const { return answer_; }

 private:
  void start() override {
    id_ = jobs_.begin([this](bool gave_up, int answer) {
      answer_ = answer;
      if (gave_up) cancelled();
      else complete();  // also when a cancellation came too late: the answer is kept
    });
  }
  void request_cancel() noexcept override { jobs_.give_up(id_); }
  [[nodiscard]] std::string_view what() const noexcept override { return "job"; }

  jobs& jobs_;
  int id_ = 0;
  int answer_ = 0;
};

async::task<int> two_jobs(jobs& j) {
  const int a = co_await job_await(j);
  const int b = co_await job_await(j);
  co_return a + b;
}

async::task<> turn(jobs& j) {
  for (;;) {
    co_await async::sleep_for(1ms);
    j.work();
  }
}

int main() {
  sim::loop loop;
  jobs j;
  const auto sum = loop.run([](jobs& j) -> async::task<int> {
    auto [sum, never] = co_await async::first_of(two_jobs(j), turn(j));
    co_return *sum;
  }(j));
  std::printf("%d\n", sum);
  return sum == 30 ? 0 : 1;
}
