#include "stun/discovery/measure_lifetime.hpp"

#include <memory>
#include <utility>
#include <vector>

#include "async/async.hpp"
#include "stun/attributes.hpp"
#include "stun/discovery/lifetime_search.hpp"
#include "stun/message_writer.hpp"
#include "stun/query.hpp"

namespace strata::stun {
namespace {

using namespace std::chrono_literals;

constexpr unsigned attempts = 4;
constexpr base::duration attempt_limit = 700ms;

transaction_id random_id(net::host& h) {
  transaction_id id{};
  h.random(id);
  return id;
}

// True: an answer with that id has come in. An error answer is the server's refusal.
async::task<base::result<bool>> hears(net::udp_socket& socket, transaction_id id) {
  for (;;) {
    const auto batch = co_await socket.receive();
    if (!batch) co_return base::fail(batch.error());
    for (const auto& d : *batch) {
      const auto m = message_view::parse(d.payload);
      if (!m || !m->is_response() || m->transaction_id() != id) continue;
      if (m->class_() == message_class::success) co_return true;
      const auto code = m->get<error_code>();
      co_return base::fail(response_error(code ? code->code : 0));
    }
  }
}

// One mapping, one silence. True: it was still there.
async::task<base::result<bool>> trial(net::host& h, base::endpoint server, base::duration silence) {
  const base::endpoint any{base::ip_address::any(server.address.family()), 0};
  const auto keeper = h.bind_udp(any), asker = h.bind_udp(any);
  if (!keeper) co_return base::fail(keeper.error());
  if (!asker) co_return base::fail(asker.error());
  const auto made = co_await query_binding(h, **keeper, server);
  if (!made) co_return base::fail(made.error());
  co_await async::sleep_for(silence);
  for (unsigned n = 0; n < attempts; ++n) {
    const auto id = random_id(h);
    base::bytes request;
    message_writer(request, {message_class::request, method::binding}, id).add(response_port{made->mapped.port});
    (*asker)->send(server, request);
    auto [heard, refused, late] =
        co_await async::first_of(hears(**keeper, id), hears(**asker, id),
                                 [](base::duration d) -> async::task<> { co_await async::sleep_for(d); }(attempt_limit));
    if (heard) co_return std::move(*heard);
    // An answer at the asker's own port: the server has not understood, whatever it says.
    if (refused) {
      if (!*refused) co_return base::fail(refused->error());
      co_return base::fail(base::errc::unsupported);
    }
  }
  co_return false;
}

}  // namespace

async::task<base::result<nat_report::lifetime_range>> measure_lifetime(net::host& h, base::endpoint server,
                                                                       base::duration limit) {
  const auto fresh = co_await trial(h, server, 0s);
  if (!fresh) co_return base::fail(fresh.error());
  if (!*fresh) co_return base::fail(base::errc::unsupported);
  lifetime_search search(limit);
  for (auto round = search.next_round(); !round.empty(); round = search.next_round()) {
    co_await async::with_scope(async::at_end::join, [&](async::scope& s) -> async::task<> {
      for (const auto silence : round) {
        s.spawn("silence", [&h, &search, server, silence]() -> async::task<> {
          const auto alive = co_await trial(h, server, silence);
          // Trouble on the way to the server is no death of a mapping.
          if (alive) search.learn(silence, *alive);
        });
        co_await async::sleep_for(250ms);  // RFC 5780 §5: each trial begins two transactions, and a second has ten
      }
    });
    const auto again = search.next_round();
    if (again == round) break;  // nothing was learnt
  }
  co_return search.range();
}

}  // namespace strata::stun
