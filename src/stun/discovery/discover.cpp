#include "stun/discovery/discover.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <utility>

#include "async/async.hpp"
#include "stun/discovery/measure_lifetime.hpp"
#include "stun/query.hpp"

namespace strata::stun {
namespace {

using namespace std::chrono_literals;

// RFC 5780 §5: not more than ten new transactions a second, and their retransmissions out of step.
constexpr base::duration pace = 100ms, jitter = 20ms;

// The sockets of a run and the fibers that receive on them.
class run {
 public:
  run(net::host& h, const discovery_config& c, trace::tracer t, async::scope& s)
      : host_(h), config_(c), tracer_(std::move(t)), scope_(s) {}

  async::task<> round(std::vector<probe> plan) {
    std::vector<observation> found(plan.size());
    co_await async::with_scope(async::at_end::join, [&](async::scope& s) -> async::task<> {
      for (std::size_t n = 0; n < plan.size(); ++n) {
        co_await async::sleep_for(pace + base::duration(host_.random_below(jitter.count())));
        s.spawn("probe", [this, &at = found[n], p = plan[n]]() -> async::task<> { at = co_await ask(p); });
      }
    });
    for (auto& o : found) {
      note(o);
      seen.push_back(std::move(o));
    }
  }

  std::vector<observation> seen;

 private:
  async::task<observation> ask(probe p) {
    if (p.kind == probe_kind::tcp) co_return co_await ask_over_tcp(p);
    auto* socket = socket_for(p);
    if (socket != nullptr) co_return co_await socket->ask(p);
    observation o;
    o.asked = p;
    o.result = probe_result::failed;
    o.trouble = "no socket of that family";
    co_return o;
  }

  async::task<observation> ask_over_tcp(probe p) {
    client_config c;
    c.software.clear();
    c.ti = config_.probes.schedule.fails_at();
    observation o;
    o.asked = p;
    const auto answer = co_await query_binding_tcp(host_, p.to, c);
    if (!answer) {
      o.result = answer.error() == base::errc::timed_out ? probe_result::silent : probe_result::failed;
      o.trouble = answer.error().message();
      co_return o;
    }
    o.result = probe_result::answered;
    o.mapped = answer->mapped;
    co_return o;
  }

  probe_socket* socket_for(const probe& p) {
    const auto family = p.to.address.family();
    auto& socket = sockets_[{p.socket, family}];
    if (!socket) {
      auto opened = probe_socket::open(host_, family, config_.probes);
      if (!opened) return nullptr;
      socket = std::move(*opened);
      scope_.spawn("probe socket", [s = socket.get()] { return s->receive(); });
    }
    return socket.get();
  }

  void note(const observation& o) {
    if (!tracer_.enabled()) return;
    const auto text = o.result == probe_result::answered
                          ? o.asked.to.to_string() + " sees " + o.mapped.to_string()
                          : o.asked.to.to_string() + ": " + (o.trouble.empty() ? std::string("no answer") : o.trouble);
    tracer_(host_.now(), trace::note{trace::layer::stun, to_string(o.asked.kind), text});
  }

  net::host& host_;
  const discovery_config& config_;
  trace::tracer tracer_;
  async::scope& scope_;
  std::map<std::pair<unsigned, base::ip_family>, std::unique_ptr<probe_socket>> sockets_;
};

std::vector<base::endpoint> without_doubles(std::vector<base::endpoint> all) {
  std::vector<base::endpoint> once;
  for (const auto& e : all)
    if (std::ranges::find(once, e) == once.end()) once.push_back(e);
  return once;
}

}  // namespace

async::task<nat_report> discover_nat(net::host& h, discovery_config config, trace::tracer tracer) {
  for (const auto& i : h.interfaces())
    if (i.up) config.around.own.push_back(i.address);
  std::unique_ptr<run> r;  // its sockets outlive the fibers of the scope
  co_await async::with_scope(async::at_end::cancel, [&](async::scope& s) -> async::task<> {
    r = std::make_unique<run>(h, config, tracer, s);
    co_await r->round(plan_first(without_doubles(config.servers)));
    co_await r->round(plan_second(r->seen));
    co_await r->round(plan_third(r->seen, config.around.own));
  });
  auto report = judge_nat(r->seen, config.around);
  const auto* first = main_answer(r->seen);
  if (config.lifetime && first != nullptr && report.mapping != mapping_kind::no_nat) {
    const auto range = co_await measure_lifetime(h, first->asked.to, config.lifetime_limit);
    if (range) report.lifetime = *range;
    else tracer(h.now(), trace::note{trace::layer::stun, "lifetime", range.error().message()});
  }
  co_return report;
}

}  // namespace strata::stun
