// How a link keeps its path while the network changes under it: ICE restarts over signaling, from either side. The connection
// and everything that was sent on it live on; only when no restart helps is there another connection.
#include "mesh/glare.hpp"
#include "mesh/link.hpp"
#include "sdp/data_description.hpp"

namespace strata::mesh {
namespace {

constexpr auto answer_limit = std::chrono::seconds(5);  // then our restart is taken back, and may be tried again
constexpr auto attempt_limit = std::chrono::seconds(6);
constexpr auto signaling_pause = std::chrono::seconds(1);

async::task<> until_answered(rtc::peer_connection& pc) {
  while (pc.offer_outstanding()) co_await pc.path().changed();
}
async::task<> until_settled(rtc::peer_connection& pc) {
  while (pc.path().restarting()) co_await pc.path().changed();
}

}  // namespace

async::task<> link::keep_path(rtc::peer_connection& pc) {
  co_await async::with_scope(async::at_end::cancel, [this, &pc](async::scope& s) -> async::task<> {
    for (;;) {
      auto why = co_await pc.restart_wanted();
      // Upstream sidecars take every offer for another connection.
      if (!they_are_meshd_) co_await pc.closed();
      else co_await restart_path(pc, s, std::move(why));
    }
  });
}

async::task<> link::restart_path(rtc::peer_connection& pc, async::scope& s, std::string why) {
  // Gathering for a restart that nobody would hear of costs the servers work.
  if (!environment_.can_signal()) co_return co_await async::sleep_for(signaling_pause);
  auto sdp = co_await pc.restart(why);
  if (!sdp) co_return co_await async::sleep_for(signaling_pause);  // theirs came first
  if (!signal(signaling::kind::offer, own_offer(std::move(*sdp)))) {
    pc.rollback("the registry is away");
    co_return co_await async::sleep_for(signaling_pause);
  }
  s.spawn("trickle", [this, &pc] { return trickle(pc); });
  if (!co_await async::with_timeout(answer_limit, until_answered(pc))) {
    environment_.doubt_signaling();
    co_return pc.rollback("no answer");
  }
  // Checks of an attempt come ever more seldom (RFC 8489 §6.2.1): while nothing works, a fresh attempt finds the way sooner.
  while (!co_await async::with_timeout(attempt_limit, until_settled(pc)))
    if (pc.state() == rtc::connection_state::disconnected) co_return pc.rollback("no path found so far");
}

// True: the offer continues the connection that stands, and has been dealt with.
bool link::take_restart(const sdp::data_description& offer, std::string& text, const std::string& nonce) {
  if (current_ == nullptr || next_ || !current_->continues(offer)) return false;
  if (current_->offer_outstanding()) {
    if (settle_glare(environment_.own_id, peer_, they_are_meshd_) == glare::keep_ours) {
      tracer_(environment_.host.now(), trace::note{trace::layer::mesh, "glare", "both restart: ours is kept"});
      return true;
    }
    current_->rollback("both restart: theirs is kept");
  }
  restart_offer_ = std::move(text);
  restart_nonce_ = nonce;
  early_candidates_.clear();
  restart_arrived_.set();
  return true;
}

async::task<> link::answer_restarts(rtc::peer_connection& pc) {
  co_await async::with_scope(async::at_end::cancel, [this, &pc](async::scope& s) -> async::task<> {
    for (;;) {
      co_await restart_arrived_.wait();
      restart_arrived_.reset();
      if (!restart_offer_) continue;
      auto answer = co_await pc.accept_offer(*restart_offer_);
      restart_offer_.reset();
      for (auto& c : std::exchange(early_candidates_, {})) (void)pc.add_candidate(c.candidate);
      if (!answer) {
        tracer_(environment_.host.now(), trace::note{trace::layer::mesh, "restart refused", answer.error().message()});
        continue;
      }
      signal(signaling::kind::answer, own_answer(std::move(*answer), restart_nonce_));
      s.spawn("trickle", [this, &pc] { return trickle(pc); });
    }
  });
}

async::task<> link::watch_path(rtc::peer_connection& pc) {
  for (;;) {
    if (environment_.on_path) environment_.on_path(peer_);
    co_await pc.path().changed();
  }
}

link_facts link::facts() const {
  link_facts f;
  const auto pair = current_ != nullptr ? current_->ice().selected() : std::nullopt;
  if (!pair) return f;
  f.relayed = pair->local.type == ice::candidate_type::relayed || pair->remote.type == ice::candidate_type::relayed;
  f.round_trip = pair->path.rtt;
  return f;
}

// Of the pair that carries data now.
base::json link::path_status() const {
  const auto pair = current_ != nullptr ? current_->ice().selected() : std::nullopt;
  if (!pair) return {};
  return base::json::make(
      {{"rtt_ms", pair->path.rtt ? base::json(base::milliseconds(*pair->path.rtt)) : base::json()}, {"loss", pair->path.loss}});
}

void link::servers_changed() {
  if (current_ != nullptr) current_->set_servers(environment_.connection_options());
}

void link::network_changed() {
  if (current_ != nullptr) current_->network_changed();
}

}  // namespace strata::mesh
