#include "rtc/turn_relay.hpp"

#include <algorithm>

#include "async/async.hpp"

namespace strata::rtc {
namespace {

class turn_relay final : public ice::relay {
 public:
  explicit turn_relay(std::unique_ptr<turn::allocation> a) : allocation_(std::move(a)) {}
  [[nodiscard]] net::udp_socket& socket() override { return *allocation_; }
  [[nodiscard]] base::endpoint mapped() const override { return allocation_->mapped(); }
  [[nodiscard]] base::endpoint server() const override { return allocation_->server_endpoint(); }
  void permit(const base::ip_address& peer) override { allocation_->permit(peer); }
  [[nodiscard]] async::task<> run() override { (void)co_await allocation_->run(); }

 private:
  std::unique_ptr<turn::allocation> allocation_;
};

constexpr auto head_start = std::chrono::milliseconds(400);

struct race {
  std::unique_ptr<turn::allocation> won;
  base::error last{turn::errc::no_server_address};
  std::size_t failed = 0;
  async::event changed;  // pulsed
};

async::task<> run_one(race& r, net::host& host, turn::server_info server, trace::tracer t) {
  turn::allocation_config c;
  c.server = std::move(server);
  auto made = co_await turn::allocation::allocate(host, std::move(c), std::move(t));
  if (made && !r.won) r.won = std::move(*made);
  if (!made) {
    r.last = made.error();
    ++r.failed;
  }
  r.changed.pulse();
}

async::task<> won_or_failed(race& r, std::size_t failures) {
  while (!r.won && r.failed < failures) co_await r.changed.wait();
}

async::task<base::result<std::unique_ptr<ice::relay>>> allocate(net::host& host, std::vector<turn::server_info> ways,
                                                                trace::tracer t) {
  race r;
  co_await async::with_scope(async::at_end::cancel, [&](async::scope& s) -> async::task<> {
    for (std::size_t started = 0; started < ways.size() && !r.won;) {
      s.spawn("TURN", run_one, std::ref(r), std::ref(host), ways[started++], t);
      co_await async::with_timeout(head_start, won_or_failed(r, started));
    }
    co_await won_or_failed(r, ways.size());
  });
  if (!r.won) co_return base::fail(r.last);
  co_return std::make_unique<turn_relay>(std::move(r.won));
}

}  // namespace

std::vector<ice::relay_source> relay_sources(net::host& host, std::span<const turn::server_info> servers,
                                             trace::tracer tracer) {
  std::vector<std::vector<turn::server_info>> hosts;
  for (const auto& s : servers) {
    const auto same = std::ranges::find_if(hosts, [&](const auto& ways) { return ways.front().host == s.host; });
    if (same != hosts.end()) same->push_back(s);
    else hosts.push_back({s});
  }
  std::vector<ice::relay_source> sources;
  for (auto& ways : hosts) {
    auto name = ways.front().name();
    sources.push_back({std::move(name), [&host, ways = std::move(ways), tracer] { return allocate(host, ways, tracer); }});
  }
  return sources;
}

}  // namespace strata::rtc
