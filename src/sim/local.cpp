#include "sim/local.hpp"

#include <algorithm>
#include <cassert>
#include <deque>
#include <utility>

#include "async/event.hpp"
#include "async/sleep.hpp"

namespace strata::sim {

namespace {

constexpr std::size_t pipe_capacity = 208 << 10;  // the default of a Linux socket buffer
constexpr std::size_t backlog = 128;

// One direction. Both ends hold it; it outlives whichever goes first.
struct pipe {
  base::bytes data;
  std::size_t taken = 0;
  bool ended = false;  // the writer has finished or gone
  bool reader_gone = false;
  async::event readable, writable;

  [[nodiscard]] std::size_t unread() const { return data.size() - taken; }
  void end() {
    ended = true;
    readable.pulse();
  }
  void abandon() {
    reader_gone = true;
    writable.pulse();
  }
};

class local_stream final : public net::stream {
 public:
  local_stream(std::shared_ptr<pipe> in, std::shared_ptr<pipe> out, receive_pace& pace)
      : in_(std::move(in)), out_(std::move(out)), pace_(pace) {}
  ~local_stream() override { close(); }

  [[nodiscard]] async::task<net::result<std::size_t>> read(base::byte_span into) override {
    const auto& clock = co_await async::this_loop();
    for (;;) {
      while (in_->unread() == 0 && !in_->ended && !closed_) co_await in_->readable.wait();
      if (closed_) co_return base::fail(base::errc::closed);
      if (in_->unread() == 0 || pace_.next() <= clock.now()) break;
      co_await async::sleep_until(pace_.next());
    }
    const auto n = std::min({into.size(), in_->unread(), pace_.most()});
    pace_.took(n, clock.now());
    std::copy_n(in_->data.begin() + static_cast<std::ptrdiff_t>(in_->taken), n, into.begin());
    in_->taken += n;
    if (in_->unread() == 0) {
      in_->data.clear();
      in_->taken = 0;
    }
    if (n != 0) in_->writable.pulse();
    co_return n;
  }

  [[nodiscard]] async::task<net::result<void>> write(base::byte_view data) override {
    assert(!out_->ended || closed_);
    while (!data.empty()) {
      while (out_->unread() >= pipe_capacity && !out_->reader_gone && !closed_) co_await out_->writable.wait();
      if (closed_ || out_->reader_gone) co_return base::fail(base::errc::closed);
      const auto n = std::min(data.size(), pipe_capacity - out_->unread());
      base::append(out_->data, data.first(n));
      data = data.subspan(n);
      out_->readable.pulse();
    }
    if (closed_) co_return base::fail(base::errc::closed);
    co_return net::result<void>();
  }

  [[nodiscard]] async::task<net::result<void>> finish() override {
    if (closed_) co_return base::fail(base::errc::closed);
    out_->end();
    co_return net::result<void>();
  }

  void close() noexcept override {
    if (std::exchange(closed_, true)) return;
    out_->end();
    in_->abandon();
    in_->readable.pulse();
    out_->writable.pulse();
  }

  [[nodiscard]] base::endpoint local_endpoint() const override { return {}; }
  [[nodiscard]] base::endpoint remote_endpoint() const override { return {}; }
  [[nodiscard]] std::optional<net::peer_credentials> credentials() const override {
    return net::peer_credentials{1000, 1000, 4242};
  }

 private:
  std::shared_ptr<pipe> in_, out_;
  receive_pace& pace_;
  bool closed_ = false;
};

}  // namespace

class local_listener final : public net::listener {
 public:
  local_listener(local_names& n, std::string path) : names_(n), path_(std::move(path)) { names_.listeners_[path_] = this; }
  ~local_listener() override {
    if (const auto mine = names_.listeners_.find(path_); mine != names_.listeners_.end() && mine->second == this)
      names_.listeners_.erase(mine);
  }

  [[nodiscard]] async::task<net::result<std::unique_ptr<net::stream>>> accept() override {
    while (waiting_.empty()) co_await arrived_.wait();
    auto s = std::move(waiting_.front());
    waiting_.pop_front();
    co_return s;
  }
  [[nodiscard]] base::endpoint local_endpoint() const override { return {}; }

  [[nodiscard]] std::unique_ptr<net::stream> open() {
    if (waiting_.size() >= backlog) return nullptr;
    auto there = std::make_shared<pipe>();
    auto back = std::make_shared<pipe>();
    waiting_.push_back(std::make_unique<local_stream>(there, back, names_.pace_));
    arrived_.pulse();
    return std::make_unique<local_stream>(back, there, names_.pace_);
  }

 private:
  local_names& names_;
  std::string path_;
  std::deque<std::unique_ptr<net::stream>> waiting_;
  async::event arrived_;
};

local_names::~local_names() { assert(listeners_.empty() && "a listener outlived its host"); }

net::result<std::unique_ptr<net::stream>> local_names::connect(const std::string& path) {
  const auto l = listeners_.find(path);
  if (l == listeners_.end()) return base::fail(base::errc::not_found);
  auto s = l->second->open();
  if (s == nullptr) return base::fail(base::errc::would_block);
  return s;
}

net::result<std::unique_ptr<net::listener>> local_names::listen(const std::string& path) {
  if (path.empty()) return base::fail(base::errc::invalid);
  if (listeners_.contains(path)) return base::fail(base::errc::in_use);
  return std::make_unique<local_listener>(*this, path);
}

}  // namespace strata::sim
