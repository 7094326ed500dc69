#include "registry/watched_store.hpp"

#include "store/error.hpp"

namespace strata::registry {

constexpr auto fresh = std::chrono::seconds(5);

async::task<base::result<void>> watched_store::commit(store::changes c) {
  // Not a coroutine up to here: a commit begins when this is called.
  return [](watched_store& self, async::task<base::result<void>> begun) -> async::task<base::result<void>> {
    auto done = co_await std::move(begun);
    ++(done ? self.commits_ : self.failures_);
    self.trouble_ = done ? std::string() : done.error().message();
    self.last_ = self.host_.now();
    self.asked_ = true;
    co_return done;
  }(*this, inner_->commit(std::move(c)));
}

async::task<std::string> watched_store::probe() {
  if (probing_ || (asked_ && host_.now() - last_ < fresh)) co_return trouble_;
  struct probing {
    bool& flag;
    explicit probing(bool& f) : flag(f) { flag = true; }
    ~probing() { flag = false; }
  } const now(probing_);
  (void)co_await commit({{std::string(table), "probe", std::to_string(host_.wall_now().time_since_epoch().count())}});
  co_return trouble_;
}

}  // namespace strata::registry
