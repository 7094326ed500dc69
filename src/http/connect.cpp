#include <algorithm>

#include "http/client.hpp"

namespace strata::http {
namespace {

using stream_result = base::result<std::unique_ptr<net::stream>>;

// RFC 8305 §4: the resolver's order, families in turn, beginning with the family it prefers.
std::vector<base::ip_address> in_turn(const std::vector<base::ip_address>& addresses) {
  std::vector<base::ip_address> first, second, mixed;
  for (const auto& a : addresses) (a.family() == addresses.front().family() ? first : second).push_back(a);
  for (std::size_t i = 0; i < std::max(first.size(), second.size()); ++i) {
    if (i < first.size()) mixed.push_back(first[i]);
    if (i < second.size()) mixed.push_back(second[i]);
  }
  return mixed;
}

async::task<> attempt(net::host* h, base::endpoint to, async::channel<stream_result>* outcomes) {
  auto s = co_await h->connect_tcp(to);
  co_await outcomes->send(std::move(s));
}

async::task<std::optional<stream_result>> next_outcome(async::channel<stream_result>& outcomes) {
  co_return co_await outcomes.receive();
}

async::task<stream_result> race(net::host& h, std::vector<base::endpoint> targets) {
  constexpr auto head_start = std::chrono::milliseconds(250);  // RFC 8305 §5
  async::channel<stream_result> outcomes(targets.size());
  co_return co_await async::with_scope(async::at_end::cancel, [&](async::scope& s) -> async::task<stream_result> {
    std::optional<base::error> failure;
    std::size_t running = 0;
    for (std::size_t next = 0;;) {
      if (next < targets.size()) {
        s.spawn("connect", attempt, &h, targets[next++], &outcomes);
        ++running;
      } else if (running == 0) {
        co_return base::fail(*failure);
      }
      std::optional<stream_result> outcome;
      if (next < targets.size()) {
        auto waited = co_await async::with_timeout(head_start, next_outcome(outcomes));
        if (waited) outcome = std::move(*waited);
      } else {
        outcome = co_await outcomes.receive();
      }
      if (!outcome) continue;
      --running;
      if (*outcome) co_return std::move(*outcome);
      if (!failure) failure = outcome->error();  // of the address that is preferred
    }
  });
}

}  // namespace

async::task<stream_result> connect(net::host& h, url u, tls_connector tls) {
  if (u.secure() && !tls) co_return base::fail(errc::no_tls);
  const auto addresses = co_await h.resolve(u.host);
  if (!addresses) co_return base::fail(addresses.error());
  if (addresses->empty()) co_return base::fail(base::errc::not_found);
  std::vector<base::endpoint> targets;
  for (const auto& a : in_turn(*addresses)) targets.push_back({a, u.port});
  auto s = co_await race(h, std::move(targets));
  if (!s || !u.secure()) co_return s;
  co_return co_await tls(std::move(*s), u.host);
}

}  // namespace strata::http
