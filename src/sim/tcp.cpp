#include "sim/tcp.hpp"

#include <algorithm>
#include <cassert>
#include <deque>

#include "async/event.hpp"
#include "async/sleep.hpp"
#include "sim/host.hpp"
#include "sim/routing.hpp"
#include "sim/tcp_stream.hpp"

namespace strata::sim {

namespace {
constexpr std::size_t backlog = 128;
constexpr base::duration connect_patience = std::chrono::seconds(127);  // what Linux has with six SYNs
}  // namespace

class tcp_listener final : public net::listener {
 public:
  tcp_listener(tcp_stack& s, const base::endpoint& local) : stack_(s), local_(local) { stack_.listeners_.push_back(this); }
  ~tcp_listener() override { std::erase(stack_.listeners_, this); }

  [[nodiscard]] async::task<net::result<std::unique_ptr<net::stream>>> accept() override {
    while (waiting_.empty()) co_await arrived_.wait();
    std::unique_ptr<net::stream> s = std::move(waiting_.front());
    waiting_.pop_front();
    co_return s;
  }
  [[nodiscard]] base::endpoint local_endpoint() const override { return local_; }

  [[nodiscard]] bool open(const packet& p) {
    if (waiting_.size() >= backlog) return false;
    waiting_.push_back(std::make_unique<tcp_stream>(stack_, p.destination, p.source, tcp_stream::state::open));
    waiting_.back()->send(segment_kind::accepted);
    arrived_.pulse();
    return true;
  }

 private:
  tcp_stack& stack_;
  base::endpoint local_;
  std::deque<std::unique_ptr<tcp_stream>> waiting_;
  async::event arrived_;
};

tcp_stack::~tcp_stack() { assert(streams_.empty() && listeners_.empty() && "a stream or listener outlived its host"); }

async::task<net::result<std::unique_ptr<net::stream>>> tcp_stack::connect(base::endpoint remote, net::tcp_options o) {
  const auto source = select_source(host_.addresses(), remote.address);
  if (!source || host_.down()) co_return base::fail(base::errc::unreachable);
  base::endpoint local{*source, 0};
  if (o.local && !o.local->address.is_unspecified()) local.address = o.local->address;
  if (!host_.owns(local.address)) co_return base::fail(base::errc::not_found);
  if (o.local && o.local->port != 0) local.port = o.local->port;
  else local.port = free_port(local, remote);
  if (streams_.contains({local, remote}) || (!o.share_port && listener_for(local) != nullptr))
    co_return base::fail(base::errc::in_use);
  auto s = std::make_unique<tcp_stream>(*this, local, remote, tcp_stream::state::connecting);
  s->send(segment_kind::open);
  const auto outcome = co_await async::with_timeout(connect_patience, s->established());
  if (!outcome) co_return base::fail(outcome.error());
  co_return std::unique_ptr<net::stream>(std::move(s));
}

net::result<std::unique_ptr<net::listener>> tcp_stack::listen(base::endpoint local) {
  if (!host_.may_bind(local.address) || local.address.is_multicast()) return base::fail(base::errc::not_found);
  const auto taken = [&] {
    return std::ranges::any_of(listeners_, [&](const tcp_listener* l) {
      const auto other = l->local_endpoint();
      return other.port == local.port && other.address.family() == local.address.family() &&
             (other.address == local.address || other.address.is_unspecified() || local.address.is_unspecified());
    });
  };
  if (local.port == 0) {
    do local.port = host_.draw_port();
    while (taken());
  } else if (taken()) {
    return base::fail(base::errc::in_use);
  }
  return std::make_unique<tcp_listener>(*this, local);
}

std::uint16_t tcp_stack::free_port(base::endpoint local, const base::endpoint& remote) {
  do local.port = host_.draw_port();
  while (streams_.contains({local, remote}) || listener_for(local) != nullptr);
  return local.port;
}

tcp_listener* tcp_stack::listener_for(const base::endpoint& local) const {
  for (auto* l : listeners_) {
    const auto bound = l->local_endpoint();
    if (bound.port != local.port || bound.address.family() != local.address.family()) continue;
    if (bound.address.is_unspecified() || std::ranges::equal(bound.address.octets(), local.address.octets())) return l;
  }
  return nullptr;
}

bool tcp_stack::deliver(const packet& p) {
  if (const auto s = streams_.find({p.destination, p.source}); s != streams_.end()) {
    s->second->receive(p);
    return true;
  }
  switch (p.segment.kind) {
    case segment_kind::open:
      if (auto* l = listener_for(p.destination); l != nullptr && l->open(p)) return true;
      send_reset(p, base::errc::refused);
      return false;
    case segment_kind::accepted:
    case segment_kind::data: send_reset(p, base::errc::closed); return false;
    case segment_kind::end:
    case segment_kind::credit:
    case segment_kind::reset: return false;  // of a connection that has ended here; nobody is hurt
  }
  return false;
}

void tcp_stack::send_reset(const packet& answered, base::errc reason) {
  packet p{protocol::tcp, answered.destination, answered.source, {}, {}};
  p.segment.kind = segment_kind::reset;
  p.segment.reason = reason;
  host_.transmit(std::move(p));
}

void tcp_stack::reset_all() {
  while (!streams_.empty()) {
    auto& s = *streams_.begin()->second;
    s.send(segment_kind::reset);
    s.fail(base::errc::closed);
  }
}

}  // namespace strata::sim
