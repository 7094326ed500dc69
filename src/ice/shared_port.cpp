#include "ice/shared_port.hpp"

#include <unordered_map>
#include <utility>

#include "async/scope.hpp"

namespace strata::ice {

// The socket and who shares it; lives as long as the last of them.
struct shared_port::shared {
  net::host& host;
  std::unique_ptr<net::udp_socket> socket;
  shared_port_options options;
  trace::tracer tracer;
  port_table table{options.limits};
  std::unordered_map<port_table::sharer, facade*> facades{};
  counters counts{};
  std::optional<base::error> ended{};

  void hand_out(const net::datagram& d);
  void end(const base::error& why);
};

class shared_port::facade final : public net::udp_socket {
 public:
  facade(std::shared_ptr<shared> s, port_table::sharer id) : shared_(std::move(s)), id_(id) {
    shared_->facades.emplace(id_, this);
  }
  ~facade() override {
    shared_->facades.erase(id_);
    shared_->table.remove(id_);
  }

  [[nodiscard]] base::endpoint local_endpoint() const override { return shared_->socket->local_endpoint(); }
  [[nodiscard]] std::size_t queued_bytes() const override { return shared_->socket->queued_bytes(); }
  [[nodiscard]] const net::udp_counters& counters() const override { return counters_; }

  [[nodiscard]] async::task<net::result<std::span<const net::datagram>>> receive() override {
    while (inbox_.empty() && !shared_->ended) co_await arrived_.wait();
    if (inbox_.empty()) co_return base::fail(*shared_->ended);
    std::swap(octets_, held_octets_);
    octets_.clear();
    batch_.clear();
    for (const auto& a : inbox_) batch_.push_back({a.peer, base::byte_view(held_octets_).subspan(a.at, a.size)});
    inbox_.clear();
    co_return std::span<const net::datagram>(batch_);
  }

  bool send(const base::endpoint& to, base::byte_view payload) override {
    shared_->table.on_send(id_, to, payload, shared_->host.now());
    if (!shared_->socket->send(to, payload)) {
      ++counters_.dropped_outbox_full;
      return false;
    }
    ++counters_.sent;
    counters_.sent_bytes += payload.size();
    return true;
  }

  bool take(const net::datagram& d) {
    if (octets_.size() + d.payload.size() + inbox_.size() * sizeof(arrival) > shared_->options.inbox_bytes) return false;
    ++counters_.received;
    counters_.received_bytes += d.payload.size();
    inbox_.push_back({d.peer, octets_.size(), d.payload.size()});
    base::append(octets_, d.payload);
    arrived_.pulse();
    return true;
  }
  void wake() { arrived_.pulse(); }
  void unreachable(const base::endpoint& peer, base::errc why) { report_unreachable(counters_, peer, why); }

 private:
  struct arrival {
    base::endpoint peer;
    std::size_t at, size;  // in octets_
  };
  std::shared_ptr<shared> shared_;
  port_table::sharer id_;
  std::vector<arrival> inbox_;
  base::bytes octets_, held_octets_;  // arrived; lent out by the last receive()
  std::vector<net::datagram> batch_;
  async::event arrived_;  // pulsed
  net::udp_counters counters_;
};

void shared_port::shared::hand_out(const net::datagram& d) {
  const auto verdict = table.whose(d.peer, d.payload, host.now());
  if (!verdict.whose) {
    ++counts.nobodys;
    tracer(host.now(), trace::drop{trace::layer::ice, verdict.why_nobody, d.peer, d.payload.size()});
  } else if (!facades.at(*verdict.whose)->take(d)) {
    ++counts.inbox_full;
    tracer(host.now(), trace::drop{trace::layer::ice, "its agent does not receive", d.peer, d.payload.size()});
  }
}

void shared_port::shared::end(const base::error& why) {
  if (ended) return;
  ended = why;
  for (auto& [id, f] : facades) f->wake();
}

shared_port::shared_port(net::host& h, std::unique_ptr<net::udp_socket> socket, shared_port_options o, trace::tracer t)
    : shared_(std::make_shared<shared>(h, std::move(socket), std::move(o), std::move(t))) {
  // It is the port that was not reached: this concerns all who talk to that address from here. They know what to make of it.
  shared_->socket->on_unreachable = [s = shared_.get()](const base::endpoint& peer, base::errc why) {
    for (auto& [id, f] : s->facades) f->unreachable(peer, why);
  };
}

shared_port::~shared_port() { shared_->end(base::errc::closed); }

base::result<std::unique_ptr<net::udp_socket>> shared_port::share(std::string_view local_ufrag) {
  if (shared_->ended) return base::fail(base::errc::closed);
  const auto id = shared_->table.add(local_ufrag);
  if (!id) return base::fail(id.error());
  return std::make_unique<facade>(shared_, *id);
}

async::task<> shared_port::run() {
  struct ending {
    shared& s;
    base::error why = base::errc::closed;
    ~ending() { s.end(why); }
  } whenever{*shared_};
  for (;;) {
    const auto batch = co_await shared_->socket->receive();
    if (!batch) {
      whenever.why = batch.error();
      co_return;
    }
    for (const auto& d : *batch) shared_->hand_out(d);
  }
}

base::endpoint shared_port::local_endpoint() const { return shared_->socket->local_endpoint(); }
const shared_port::counters& shared_port::counted() const noexcept { return shared_->counts; }
const port_table& shared_port::table() const noexcept { return shared_->table; }

shared_ports::shared_ports(net::host& h, std::uint16_t port, shared_port_options o, trace::tracer t)
    : host_(h), port_(port), options_(std::move(o)), tracer_(std::move(t)) {}

base::result<std::unique_ptr<net::udp_socket>> shared_ports::open(const base::ip_address& local, std::string_view ufrag) {
  if (const auto known = ports_.find(local); known != ports_.end()) return known->second->share(ufrag);
  auto socket = host_.bind_udp({local, port_}, options_.socket);
  if (!socket) return base::fail(socket.error());
  auto port = std::make_shared<shared_port>(host_, std::move(*socket), options_, tracer_);
  ports_.emplace(local, port);
  unserved_.push_back(port);
  work_.set();
  return port->share(ufrag);
}

async::task<> shared_ports::run() {
  struct ending {
    shared_ports& all;
    ~ending() { all.ports_.clear(); }
  } const whenever{*this};
  co_await async::with_scope(async::at_end::cancel, [this](async::scope& s) -> async::task<> {
    for (;;) {
      work_.reset();
      for (auto& p : std::exchange(unserved_, {}))
        s.spawn("shared port", [this](std::shared_ptr<shared_port> p) { return serve(std::move(p)); }, std::move(p));
      co_await work_.wait();
    }
  });
}

async::task<> shared_ports::serve(std::shared_ptr<shared_port> p) {
  co_await p->run();
  std::erase_if(ports_, [&](const auto& entry) { return entry.second == p; });
}

}  // namespace strata::ice
