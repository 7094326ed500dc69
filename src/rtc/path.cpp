#include "rtc/path.hpp"

#include <cassert>

#include "rtc/restart_rule.hpp"

namespace strata::rtc {
namespace {

// What was sent before the peer moved over, too, has arrived by then.
constexpr auto farewell = std::chrono::seconds(3);

}  // namespace

path::path(net::host& host, ice::agent_config config, trace::tracer tracer)
    : host_(host), config_(std::move(config)), tracer_(std::move(tracer)), current_(make_agent()), last_attempt_(host.now()) {}

path::agent_pointer path::make_agent() {
  auto a = std::make_shared<ice::agent>(host_, config_, tracer_);
  a->on_datagram = [this](base::byte_view d) {
    if (on_datagram) on_datagram(d);
  };
  return a;
}

async::task<> path::run() {
  if (closing_.is_set()) co_return;
  co_await async::with_scope(async::at_end::cancel, [this](async::scope& s) -> async::task<> {
    scope_ = &s;
    struct leaving {
      path& self;
      ~leaving() { self.scope_ = nullptr; }
    } const at_end{*this};
    s.spawn("ice", [this] { return serve(current_); });
    co_await closing_.wait();
  });
}

void path::close() {
  closing_.set();
  if (next_) next_->close();
  current_->close();
  changed_.pulse();
}

// The life of one generation.
async::task<> path::serve(agent_pointer a) {
  co_await async::with_scope(async::at_end::cancel, [this, &a](async::scope& s) -> async::task<> {
    s.spawn("ice state", [this, a] { return follow(a); });
    co_await a->run();
  });
}

async::task<> path::follow(agent_pointer a) {
  auto seen = a->state();
  for (;;) {
    seen = co_await a->next_state(seen);
    const bool usable = seen == ice::agent_state::connected || seen == ice::agent_state::completed;
    if (a == next_ && usable) take_over(a);
    else if (a == next_ && seen == ice::agent_state::failed) abandon_restart(a->reason());
    else note_interruption();
  }
}

void path::note_interruption() {
  const auto seen = current_->state();
  const bool interrupted = seen == ice::agent_state::disconnected || seen == ice::agent_state::failed;
  if (interrupted && interrupted_since_ == base::never) {
    interrupted_since_ = host_.now();
    fruitless_ = 0;
  } else if (!interrupted) {
    interrupted_since_ = base::never;
  }
  changed_.pulse();
}

namespace {
bool is_relayed(const ice::agent& a) {
  const auto pair = a.selected();
  return pair && (pair->local.type == ice::candidate_type::relayed || pair->remote.type == ice::candidate_type::relayed);
}
}  // namespace

async::task<std::string> path::restart_wanted() {
  for (;;) {
    restart_decision d;
    if (!restarting())
      d = decide_restart({.now = host_.now(),
                          .controlling = current_->controlling(),
                          .interrupted = interrupted_since_ != base::never,
                          .interrupted_since = interrupted_since_,
                          .asked = asked_,
                          .relayed = is_relayed(*current_),
                          .renominates = current_->renominates(),
                          .alternatives = current_->alternatives() != 0,
                          .last_attempt = last_attempt_,
                          .fruitless = fruitless_});
    if (!d.why.empty()) co_return std::string(d.why);
    if (d.look_again == base::never) co_await changed_.wait();
    else co_await async::with_timeout(d.look_again - host_.now(), changed());
  }
}

void path::network_changed() {
  bool matters = current_->network_changed();
  if (next_) matters = next_->network_changed() || matters;
  if (!matters) return;
  asked_ = "the network of this machine has changed";
  fruitless_ = 0;
  changed_.pulse();
}

// RFC 8656 §5: an allocation belongs to the credentials it was made with, and ends with them.
void path::set_config(ice::agent_config c) {
  config_ = std::move(c);
  const auto pair = current_->selected();
  if (!pair || pair->local.type != ice::candidate_type::relayed) return;
  asked_ = "the credentials of the relay have been renewed";
  fruitless_ = 0;
  changed_.pulse();
}

void path::take_over(const agent_pointer& a) {
  tracer_(host_.now(), trace::note{trace::layer::rtc, "path", "data moves to the restarted path"});
  const auto old = std::exchange(current_, a);
  next_ = nullptr;
  pending_ = {};
  ++restarts_;
  if (!is_relayed(*a)) fruitless_ = 0;
  note_interruption();
  if (scope_ == nullptr) return;
  scope_->spawn(
      "ice farewell",
      [](agent_pointer gone) -> async::task<> {
        co_await async::sleep_for(farewell);
        gone->close();
      },
      old);
}

path::agent_pointer path::restart(std::string_view why) {
  abandon_restart("another restart");
  tracer_(host_.now(), trace::note{trace::layer::rtc, "restart", why});
  last_attempt_ = host_.now();
  pending_ = std::exchange(asked_, {});
  ++fruitless_;
  next_ = make_agent();
  // RFC 8445 §9, §6.1.1: roles stay as they are.
  next_->set_controlling(current_->controlling());
  assert(scope_ != nullptr && "a restart of a path that does not run");
  scope_->spawn("ice", [this](agent_pointer a) { return serve(std::move(a)); }, next_);
  changed_.pulse();
  return next_;
}

void path::abandon_restart(std::string_view why) {
  if (!next_) return;
  tracer_(host_.now(), trace::note{trace::layer::rtc, "restart given up", why});
  std::exchange(next_, nullptr)->close();
  // What it was asked for is still wanted.
  if (const auto unmet = std::exchange(pending_, {}); asked_.empty()) asked_ = unmet;
  changed_.pulse();
}

base::result<void> path::add_candidate(std::string_view line) {
  if (next_ && !line.empty())
    if (const auto c = ice::parse_candidate(line);
        c && !c->ufrag.empty() && current_->remote() && current_->remote()->ufrag == c->ufrag)
      return current_->add_remote_candidate(*c);
  return newest()->add_remote_candidate(line);
}

}  // namespace strata::rtc
