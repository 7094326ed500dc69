#include "stun/transaction_table.hpp"

#include <cassert>
#include <optional>
#include <utility>

namespace strata::stun {

// One transaction; lives in the frame of transact(), so it leaves the table with it, however that ends.
struct transaction_table::entry {
  entry(transaction_table& t, const transaction_id& i, const base::endpoint& e) : table(t), id(i), to(e) {
    table.pending_.emplace(id, this);
  }
  ~entry() { table.pending_.erase(id); }
  entry(const entry&) = delete;
  entry& operator=(const entry&) = delete;

  void settle(base::result<response> r);

  transaction_table& table;
  transaction_id id;
  base::endpoint to;
  transaction_options options{};
  judge_function judge{};
  unsigned transmissions = 0;
  base::instant last_sent{};
  std::optional<base::error> ignored{};  // why the last answer was not taken
  std::optional<base::result<response>> outcome{};
  wake* waiting = nullptr;
};

// Waits until the transaction is settled or the deadline has come.
class transaction_table::wake final : public async::leaf, private async::timer {
 public:
  wake(entry& p, base::instant deadline) noexcept : entry_(p), deadline_(deadline) {}
  void await_resume() const noexcept {}
  void settled() noexcept {
    owner_fiber().loop().disarm(*this);
    entry_.waiting = nullptr;
    complete();
  }

 private:
  bool ready() override { return entry_.outcome.has_value(); }
  void start() override {
    entry_.waiting = this;
    owner_fiber().loop().arm(*this, deadline_);
  }
  void request_cancel() noexcept override {
    owner_fiber().loop().disarm(*this);
    entry_.waiting = nullptr;
    cancelled();
  }
  void expired() override {
    entry_.waiting = nullptr;
    complete();
  }
  [[nodiscard]] std::string_view what() const noexcept override { return "STUN response"; }

  entry& entry_;
  base::instant deadline_;
};

void transaction_table::entry::settle(base::result<response> r) {
  if (outcome) return;
  outcome = std::move(r);
  if (waiting != nullptr) waiting->settled();
}

transaction_table::transaction_table(net::host& h, transmit_function transmit, std::size_t capacity)
    : host_(h), transmit_(std::move(transmit)), capacity_(capacity) {}

transaction_table::~transaction_table() { assert(pending_.empty() && "transactions outlive their table"); }

transaction_id transaction_table::new_id() {
  transaction_id id;
  host_.random(id);
  return id;
}

async::task<base::result<response>> transaction_table::transact(base::endpoint to, base::bytes request,
                                                                transaction_options options, judge_function judge) {
  const auto message = message_view::parse(request);
  if (!message) co_return base::fail(message.error());
  if (!options.schedule.reliable && !options.probes_mtu && request.size() > largest_datagram(to.address.family())) {
    co_return base::fail(errc::too_long, largest_datagram(to.address.family()), "a datagram that fits every path");
  }
  const auto id = message->transaction_id();
  if (pending_.size() >= capacity_ || pending_.contains(id)) co_return base::fail(errc::busy);

  entry self(*this, id, to);
  self.options = options;
  self.judge = std::move(judge);
  ++counters_.started;
  const auto start = host_.now();
  const auto& schedule = options.schedule;
  for (unsigned n = 0; n < schedule.rc; ++n) {
    const bool queued = transmit_(to, request);
    if (!queued && schedule.reliable) {  // there will be no second transmission
      ++counters_.failed;
      co_return base::fail(base::errc::closed);
    }
    self.last_sent = host_.now();
    ++self.transmissions;
    ++counters_.transmissions;
    co_await wake(self, start + (n + 1 < schedule.rc ? schedule.send_at(n + 1) : schedule.fails_at()));
    if (self.outcome) co_return std::move(*self.outcome);
  }
  ++counters_.timed_out;
  // RFC 8489 §9.1.4: when there were answers and none was authentic, that is what went wrong.
  co_return base::fail(self.ignored.value_or(base::error(base::errc::timed_out)));
}

bool transaction_table::on_response(const message_view& m, const base::endpoint& from) {
  const auto found = m.is_response() ? pending_.find(m.transaction_id()) : pending_.end();
  if (found == pending_.end() || (found->second->options.match_source && found->second->to != from)) {
    ++counters_.unmatched;  // RFC 8489 §6.3.3: no transaction, no effect
    return false;
  }
  auto& p = *found->second;
  if (p.outcome) return true;  // settled in this turn of the loop; this is a second copy
  const auto verdict = p.judge ? p.judge(m, from) : judgement{};
  switch (verdict.what) {
    case reaction::accept:
    case reaction::retry:
      ++counters_.answered;
      p.settle(response{base::to_bytes(m.bytes()), from, host_.now() - p.last_sent, p.transmissions});
      return true;
    case reaction::discard:
      if (!p.options.schedule.reliable) break;
      [[fallthrough]];
    case reaction::fail:
      ++counters_.refused_by_judge;
      ++counters_.failed;
      p.settle(base::fail(verdict.why));
      return true;
    case reaction::ignore: break;
  }
  ++counters_.refused_by_judge;
  if (verdict.why.code) p.ignored = verdict.why;
  return false;
}

void transaction_table::fail(const base::endpoint& to, base::error why) {
  for (auto& [id, p] : pending_) {
    if (p->to != to || p->outcome) continue;
    ++counters_.failed;
    p->settle(base::fail(why));
  }
}

void transaction_table::fail_all(base::error why) {
  for (auto& [id, p] : pending_) {
    if (p->outcome) continue;
    ++counters_.failed;
    p->settle(base::fail(why));
  }
}

}  // namespace strata::stun
