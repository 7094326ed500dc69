#include "net/framed_streams.hpp"

#include <algorithm>
#include <utility>

#include "async/scope.hpp"
#include "async/sleep.hpp"
#include "net/framed_connection.hpp"

namespace strata::net {
namespace {
constexpr std::size_t batch_size = 64;
}  // namespace

// However run() ends.
struct framed_streams::ending {
  framed_streams& self;
  ~ending() {
    self.ended_ = true;
    self.connections_.clear();
    self.unserved_.clear();
    self.arrived_.pulse();
  }
};

framed_streams::framed_streams(host& h, const base::endpoint& local, framed_options o, std::unique_ptr<listener> l)
    : host_(h), options_(std::move(o)), local_(local), listener_(std::move(l)) {}
framed_streams::~framed_streams() = default;

result<std::unique_ptr<framed_streams>> framed_streams::open(host& h, const base::endpoint& local, framed_options o) {
  if (o.mode == framed_mode::active)
    return std::unique_ptr<framed_streams>(new framed_streams(h, {local.address, 0}, std::move(o), nullptr));
  auto l = h.listen_tcp(local, {.share_port = o.mode == framed_mode::simultaneous});
  if (!l) return base::fail(l.error());
  const auto at = (*l)->local_endpoint();
  return std::unique_ptr<framed_streams>(new framed_streams(h, at, std::move(o), std::move(*l)));
}

// Procedures

async::task<> framed_streams::run() {
  const ending whenever{*this};
  co_await async::with_scope(async::at_end::cancel, [this](async::scope& s) -> async::task<> {
    if (listener_) s.spawn("accept framed streams", [this]() { return accept(); });
    for (;;) {
      work_.reset();
      for (auto& c : std::exchange(unserved_, {}))
        s.spawn("framed stream", [this](shared_connection c) { return serve(std::move(c)); }, std::move(c));
      co_await work_.wait();
      if (ended_) co_return;
    }
  });
}

async::task<> framed_streams::accept() {
  constexpr base::duration no_descriptors = std::chrono::seconds(1);
  for (;;) {
    auto s = co_await listener_->accept();
    if (s) adopt(std::move(*s));
    else if (s.error() == base::errc::closed) break;
    else co_await async::sleep_for(no_descriptors);  // it passes
  }
  ended_ = true;
  work_.set();
}

void framed_streams::adopt(std::unique_ptr<stream> s) {
  const auto peer = s->remote_endpoint();
  if (const auto known = connections_.find(peer); known != connections_.end()) {
    auto& c = *known->second;
    if (!c.link && !c.adopted.is_set()) {  // the peer was faster; what we have to say goes over its connection
      c.link = std::move(s);
      c.adopted.set();
      ++framed_counters_.accepted;
      return;
    }
    // The peer has forgotten the old one: two connections cannot share both ends.
    c.end.set();
    connections_.erase(known);
  }
  if (connections_.size() >= options_.connections && !make_room()) {
    ++framed_counters_.no_room;
    return;
  }
  ++framed_counters_.accepted;
  const auto c = add(peer);
  c->link = std::move(s);
  c->accepted = true;
}

// Whoever comes speaks at once: the one that has been silent for longest gives way.
bool framed_streams::make_room() {
  const auto silent = std::ranges::min_element(
      connections_, {}, [](const auto& entry) { return entry.second->proved ? base::never : entry.second->since; });
  if (silent == connections_.end() || silent->second->proved) return false;
  ++framed_counters_.no_room;
  silent->second->end.set();
  connections_.erase(silent);
  return true;
}

framed_streams::shared_connection framed_streams::add(const base::endpoint& peer) {
  auto c = std::make_shared<connection>(peer);
  c->since = host_.now();
  connections_.emplace(peer, c);
  unserved_.push_back(c);
  work_.set();
  return c;
}

void framed_streams::remove(connection& c) {
  const auto known = connections_.find(c.peer);
  if (known != connections_.end() && known->second.get() == &c) connections_.erase(known);
}

// The socket

async::task<result<std::span<const datagram>>> framed_streams::receive() {
  while (inbox_.empty() && !ended_) co_await arrived_.wait();
  if (inbox_.empty()) co_return base::fail(base::errc::closed);
  held_.clear();
  batch_.clear();
  while (!inbox_.empty() && held_.size() < batch_size) {
    inbox_bytes_ -= inbox_.front().second.size();
    held_.push_back(std::move(inbox_.front()));
    inbox_.pop_front();
  }
  for (const auto& [peer, payload] : held_) batch_.push_back({peer, payload});
  room_.pulse();
  co_return std::span<const datagram>(batch_);
}

bool framed_streams::send(const base::endpoint& to, base::byte_view payload) {
  const auto known = connections_.find(to);
  auto c = known != connections_.end() ? known->second : nullptr;
  const bool may_connect = options_.mode != framed_mode::passive && to.port != 0 && !ended_ &&
                           to.address.family() == local_.address.family() && connections_.size() < options_.connections;
  if ((!c && !may_connect) || payload.size() > largest_frame) {
    ++counters_.dropped_by_kernel;
    return true;
  }
  if (payload.size() + 2 > options_.outbox_bytes - std::min(c ? c->queued() : 0, options_.outbox_bytes)) {
    ++counters_.dropped_outbox_full;
    return false;
  }
  if (!c) c = add(to);
  append_frame(c->outbox, payload);
  ++c->frames;
  c->frames_bytes += payload.size();
  c->more.set();
  return true;
}

std::size_t framed_streams::queued_bytes() const {
  std::size_t all = 0;
  for (const auto& [peer, c] : connections_) all += c->queued();
  return all;
}

void framed_streams::disconnect(const base::endpoint& peer) {
  const auto known = connections_.find(peer);
  if (known == connections_.end()) return;
  known->second->end.set();
  connections_.erase(known);
}

}  // namespace strata::net
