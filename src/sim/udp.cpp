#include "sim/udp.hpp"

#include <algorithm>
#include <cassert>
#include <deque>

#include "async/event.hpp"
#include "async/sleep.hpp"
#include "sim/host.hpp"
#include "sim/routing.hpp"

namespace strata::sim {

namespace {
constexpr std::size_t largest_payload = 65507;  // 65535 less the IPv4 and UDP headers
constexpr std::size_t batch_size = 64;
}  // namespace

class udp_socket final : public net::udp_socket {
 public:
  udp_socket(udp_stack& s, const base::endpoint& local, const net::udp_options& o) : stack_(s), local_(local), options_(o) {
    stack_.sockets_.push_back(this);
  }
  ~udp_socket() override {
    flush();  // what was accepted leaves, as it would from a kernel's buffer
    std::erase(stack_.sockets_, this);
  }

  [[nodiscard]] base::endpoint local_endpoint() const override { return local_; }
  [[nodiscard]] std::size_t queued_bytes() const override { return outbox_bytes_; }
  [[nodiscard]] const net::udp_counters& counters() const override { return counters_; }

  [[nodiscard]] async::task<net::result<std::span<const net::datagram>>> receive() override {
    auto& pace = stack_.host_.pace();
    while (inbox_.empty()) co_await arrived_.wait();
    while (pace.next() > stack_.host_.now()) co_await async::sleep_until(pace.next());
    held_.clear();
    batch_.clear();
    while (!inbox_.empty() && held_.size() < batch_size && pace.next() <= stack_.host_.now()) {
      pace.took(inbox_.front().payload.size(), stack_.host_.now());
      inbox_bytes_ -= inbox_.front().payload.size();
      held_.push_back(std::move(inbox_.front()));
      inbox_.pop_front();
    }
    for (const auto& p : held_) batch_.push_back({p.source, p.payload});
    co_return std::span<const net::datagram>(batch_);
  }

  bool send(const base::endpoint& to, base::byte_view payload) override {
    if (payload.size() > largest_payload || to.port == 0 || to.address.family() != local_.address.family()) {
      ++counters_.dropped_by_kernel;
      return true;
    }
    if (outbox_bytes_ + payload.size() > options_.outbox_bytes) {
      ++counters_.dropped_outbox_full;
      return false;
    }
    outbox_bytes_ += payload.size();
    outbox_.push_back({to, base::to_bytes(payload)});
    stack_.flush_later();
    return true;
  }

  [[nodiscard]] bool wants(const base::endpoint& destination) const {
    if (destination.port != local_.port || destination.address.family() != local_.address.family()) return false;
    return local_.address.is_unspecified() || std::ranges::equal(local_.address.octets(), destination.address.octets());
  }
  [[nodiscard]] bool member(const base::endpoint& group) const {
    const auto& joined = options_.multicast_group;
    return joined && std::ranges::equal(joined->octets(), group.address.octets()) && wants(group);
  }
  [[nodiscard]] bool specific() const { return !local_.address.is_unspecified(); }
  [[nodiscard]] bool reusable() const { return options_.reuse_address; }

  // False: nobody reads, and the buffer is full.
  bool take(const packet& p) {
    if (inbox_bytes_ + p.payload.size() > options_.receive_buffer) return false;
    ++counters_.received;
    counters_.received_bytes += p.payload.size();
    inbox_bytes_ += p.payload.size();
    inbox_.push_back(p);
    arrived_.pulse();
    return true;
  }

  void learn(const base::endpoint& peer, base::errc why) { report_unreachable(counters_, peer, why); }

  void flush() {
    for (auto& o : outbox_) {
      auto source = local_.address;
      if (!specific() || source.is_multicast()) {
        const auto chosen = choose_source(o.to.address);
        if (!chosen) {
          ++counters_.dropped_by_kernel;
          continue;
        }
        source = *chosen;
      } else if (!stack_.host_.owns(source)) {
        ++counters_.dropped_by_kernel;  // its interface went away
        continue;
      }
      ++counters_.sent;
      counters_.sent_bytes += o.payload.size();
      packet p{protocol::udp, {source, local_.port}, o.to, std::move(o.payload), {}};
      p.dont_fragment = options_.dont_fragment;
      stack_.host_.transmit(std::move(p));
    }
    outbox_.clear();
    outbox_bytes_ = 0;
  }

 private:
  struct outgoing {
    base::endpoint to;
    base::bytes payload;
  };

  [[nodiscard]] std::optional<base::ip_address> choose_source(const base::ip_address& to) const {
    const auto& own = stack_.host_.addresses();
    if (to.is_multicast() && options_.multicast_interface != 0)
      for (const auto& i : own)
        if (i.index == options_.multicast_interface && i.up && i.address.family() == to.family()) return i.address;
    return select_source(own, to);
  }

  udp_stack& stack_;
  base::endpoint local_;
  net::udp_options options_;
  net::udp_counters counters_;
  std::vector<outgoing> outbox_;
  std::size_t outbox_bytes_ = 0;
  std::deque<packet> inbox_;
  std::size_t inbox_bytes_ = 0;
  std::vector<packet> held_;  // what the last receive() lent out
  std::vector<net::datagram> batch_;
  async::event arrived_;
};

udp_stack::~udp_stack() { assert(sockets_.empty() && "a socket outlived its host"); }

void udp_stack::flush_later() {
  if (std::exchange(flush_posted_, true)) return;
  host_.loop().post_late(*this);
}

void udp_stack::run() {
  flush_posted_ = false;
  for (auto* s : sockets_) s->flush();
}

bool udp_stack::in_use(const base::endpoint& local, bool reuse) const {
  return std::ranges::any_of(sockets_, [&](const udp_socket* s) {
    const auto other = s->local_endpoint();
    if (other.port != local.port || other.address.family() != local.address.family()) return false;
    if (reuse && s->reusable()) return false;
    return other.address == local.address || other.address.is_unspecified() || local.address.is_unspecified();
  });
}

net::result<std::unique_ptr<net::udp_socket>> udp_stack::bind(base::endpoint local, const net::udp_options& o) {
  if (!host_.may_bind(local.address)) return base::fail(base::errc::not_found);
  if (local.port == 0) {
    do local.port = host_.draw_port();
    while (in_use(local, false));
  } else if (in_use(local, o.reuse_address)) {
    return base::fail(base::errc::in_use);
  }
  return std::make_unique<udp_socket>(*this, local, o);
}

delivery udp_stack::deliver(const packet& p) {
  if (p.destination.address.is_multicast()) {
    auto best = delivery::nobody_listens;
    for (auto* s : sockets_)
      if (s->member(p.destination)) best = std::min(best, s->take(p) ? delivery::taken : delivery::inbox_full);
    return best;
  }
  // A socket bound to the address is served before one bound to all; of several that share a port, the youngest.
  udp_socket* chosen = nullptr;
  for (auto* s : sockets_)
    if (s->wants(p.destination) && (chosen == nullptr || s->specific() >= chosen->specific())) chosen = s;
  if (chosen == nullptr) return delivery::nobody_listens;
  if (!p.unreachable) return chosen->take(p) ? delivery::taken : delivery::inbox_full;
  chosen->learn(p.source, *p.unreachable);
  return delivery::taken;
}

bool udp_stack::has_member(const base::endpoint& group) const {
  return std::ranges::any_of(sockets_, [&](const udp_socket* s) { return s->member(group); });
}

}  // namespace strata::sim
