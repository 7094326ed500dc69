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
  bool decided = false;
  async::event changed;  // pulsed
};

// One that comes in second is given back: the server would hold it for ten minutes.
async::task<> give_back(std::unique_ptr<turn::allocation> a) {
  a->release();
  (void)co_await a->run();
}

async::task<> run_one(std::shared_ptr<race> r, net::host& host, turn::server_info server, trace::tracer t) {
  turn::allocation_config c;
  c.server = std::move(server);
  auto made = co_await turn::allocation::allocate(host, std::move(c), std::move(t));
  if (made && r->decided) co_return co_await give_back(std::move(*made));
  if (made) {
    r->won = std::move(*made);
    r->decided = true;
  } else {
    r->last = made.error();
    ++r->failed;
  }
  r->changed.pulse();
}

async::task<> won_or_failed(race& r, std::size_t failures) {
  while (!r.decided && r.failed < failures) co_await r.changed.wait();
}

async::task<base::result<std::unique_ptr<ice::relay>>> allocate(net::host& host, std::vector<turn::server_info> ways,
                                                                trace::tracer t, async::scope& background) {
  auto r = std::make_shared<race>();
  for (std::size_t started = 0; started < ways.size() && !r->decided;) {
    background.spawn("TURN", run_one, r, std::ref(host), ways[started++], t);
    co_await async::with_timeout(head_start, won_or_failed(*r, started));
  }
  co_await won_or_failed(*r, ways.size());
  if (!r->won) co_return base::fail(r->last);
  co_return std::make_unique<turn_relay>(std::move(r->won));
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
    sources.push_back({std::move(name), [&host, ways = std::move(ways), tracer](async::scope& background) {
                         return allocate(host, ways, tracer, background);
                       }});
  }
  return sources;
}

}  // namespace strata::rtc
