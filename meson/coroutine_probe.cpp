// Run at configure time: exits with 0 only when the compiler gets the coroutine forms right that g++ 12 gets wrong.
#include <coroutine>
#include <exception>
#include <utility>

static int alive = 0;

struct tracked {
  tracked() { ++alive; }
  tracked(const tracked&) { ++alive; }
  tracked(tracked&&) noexcept { ++alive; }
  ~tracked() { --alive; }
};
struct pair_of_tracked {
  tracked a, b;
};

template <class T>
struct task {
  struct promise_type {
    T value{};
    std::coroutine_handle<> caller = std::noop_coroutine();
    task get_return_object() { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
    std::suspend_always initial_suspend() noexcept { return {}; }
    struct final_awaiter {
      bool await_ready() noexcept { return false; }
      std::coroutine_handle<> await_suspend(std::coroutine_handle<promise_type> h) noexcept { return h.promise().caller; }
      void await_resume() noexcept {}
    };
    final_awaiter final_suspend() noexcept { return {}; }
    void return_value(T v) { value = std::move(v); }
    void unhandled_exception() { std::terminate(); }
  };
  std::coroutine_handle<promise_type> handle;
  task(std::coroutine_handle<promise_type> h) : handle(h) {}
  task(task&& other) noexcept : handle(std::exchange(other.handle, nullptr)) {}
  ~task() {
    if (handle) handle.destroy();
  }
  bool await_ready() { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> c) {
    handle.promise().caller = c;
    return handle;
  }
  T await_resume() { return std::move(handle.promise().value); }
};

static task<int> yes() { co_return 1; }
static task<int> takes(pair_of_tracked) { co_return 1; }

static int condition_ran = 0;
static task<int> condition_without_locals() {
  if (co_await yes()) condition_ran = 1;
  co_return 0;
}
static task<int> braced_argument() { co_return co_await takes({tracked(), tracked()}); }
static task<int> deep(int n) {
  if (n == 0) co_return 0;
  co_return co_await deep(n - 1);
}

template <class T>
static void run(task<T> t) {
  t.handle.resume();
}

int main() {
  run(condition_without_locals());
  if (condition_ran != 1) return 1;
  run(braced_argument());
  if (alive != 0) return 2;
  run(deep(1000));
  return 0;
}
