#include "ice/renomination.hpp"

#include <algorithm>

namespace strata::ice {
namespace {

using namespace std::chrono_literals;

const path_view* selected_of(std::span<const path_view> paths) noexcept {
  const auto at = std::ranges::find(paths, true, &path_view::selected);
  return at == paths.end() ? nullptr : &*at;
}

bool is_better_kind(const path_view& p, const path_view& than) noexcept {
  if (p.relayed != than.relayed) return than.relayed;
  return p.priority > than.priority;
}

// A pair answers: the last question but one has been answered, or the last.
bool is_fresh(const path_view& p, base::instant now, const renomination_timing& t) noexcept {
  return now - p.answered <= t.keep * 2;
}

// Relays are kept, too, however many direct pairs there are: they are what is left when those die together.
class places {
 public:
  explicit places(std::size_t most) : direct_(most - most / 4), relayed_(most / 4) {}
  bool take(bool relayed) noexcept {
    auto& left = relayed ? relayed_ : direct_;
    if (left == 0) return false;
    --left;
    return true;
  }

 private:
  std::size_t direct_, relayed_;
};

}  // namespace

probe_decision next_probe(std::span<const path_view> paths, const renomination_input& in,
                          const renomination_timing& t) noexcept {
  const auto* selected = selected_of(paths);
  if (selected == nullptr) return {};
  const bool hurry = in.interrupted_since != base::never;
  probe_decision d;
  places kept(t.most_kept);
  std::size_t retried = 0;
  auto earliest = base::never;
  for (const auto& p : paths) {
    if (p.selected) continue;  // consent looks after it
    base::instant due = base::never;
    if (p.valid) {
      const auto ends = p.answered + t.give_up_after;
      if (in.now >= ends) return {.give_up = p.id};
      d.look_again = std::min(d.look_again, ends);
      if (!kept.take(p.relayed)) continue;
      due = p.asked + (hurry ? t.hurry : t.keep);
      if (hurry && p.asked < in.interrupted_since) due = in.interrupted_since;
    } else if (p.failed && (hurry || is_better_kind(p, *selected))) {
      if (retried++ >= t.most_retried) continue;
      due = p.asked + (hurry ? 2 * t.hurry : t.retry);
    }
    if (due >= earliest) continue;
    earliest = due;
    d.ask = p.id;
  }
  if (in.now < earliest) {
    d.ask.reset();
    d.look_again = std::min(d.look_again, earliest);
  }
  return d;
}

bool has_better_round_trip(const path_view& p, const path_view& than) noexcept {
  constexpr unsigned enough = 4;
  if (!p.rtt || !than.rtt || p.samples < enough || than.samples < enough || p.loss > than.loss) return false;
  return *p.rtt * 3 <= *than.rtt * 2 && *p.rtt + 10ms <= *than.rtt;
}

renomination_decision decide_renomination(std::span<const path_view> paths, const renomination_input& in,
                                          const renomination_timing& t) noexcept {
  const auto* selected = selected_of(paths);
  if (selected == nullptr) return {};
  const auto usable = [&](const path_view& p) { return p.valid && !p.selected; };
  if (in.interrupted_since != base::never) {
    // Whatever answered since then, direct ones first.
    const path_view* best = nullptr;
    for (const auto& p : paths)
      if (usable(p) && p.answered > in.interrupted_since && (best == nullptr || is_better_kind(p, *best))) best = &p;
    if (best != nullptr) return {.nominate = best->id, .why = "the selected pair does not answer, this one does"};
    return {};
  }
  renomination_decision d;
  const auto consider = [&](const path_view& p, base::duration settled, std::string_view why) {
    const auto when = in.nominated_at + settled;
    if (in.now < when) d.look_again = std::min(d.look_again, when);
    else if (!d.nominate) d = {.nominate = p.id, .why = why};
  };
  for (const auto& p : paths)
    if (usable(p) && is_fresh(p, in.now, t) && selected->relayed && !p.relayed)
      consider(p, t.settle, "a direct path instead of a relay");
  for (const auto& p : paths)
    if (usable(p) && is_fresh(p, in.now, t) && selected->relayed == p.relayed && has_better_round_trip(p, *selected))
      consider(p, t.settle_rtt, "the same kind of path, and faster");
  return d;
}

}  // namespace strata::ice
