// Descriptions out and in (RFC 8829 §4, §5): the first exchange, and those that restart ICE (RFC 8839 §4.4.1.1.1).
#include <algorithm>

#include "ice/candidate_text.hpp"
#include "rtc/peer_connection.hpp"
#include "sdp/negotiation.hpp"

namespace strata::rtc {
namespace {

// RFC 8842 §5.1: who is active sends the ClientHello.
dtls::role role_of(sdp::setup_role own) { return own == sdp::setup_role::active ? dtls::role::client : dtls::role::server; }
sdp::setup_role setup_of(dtls::role r) { return r == dtls::role::client ? sdp::setup_role::active : sdp::setup_role::passive; }

void describe_peer(ice::agent& agent, const sdp::data_description& d) {
  std::vector<ice::candidate> candidates;
  for (const auto& line : d.candidates)
    if (auto c = ice::parse_candidate(line)) candidates.push_back(std::move(*c));  // RFC 8839 §5.1: unusable ones are ignored
  for (auto& c : candidates) (void)agent.add_remote_candidate(std::move(c));       // the agent counts those it cannot use
  // After the candidates: checks of the peer that came before its description then find them by their own names.
  ice::description theirs;
  theirs.ufrag = d.ice_ufrag;
  theirs.pwd = d.ice_pwd;
  theirs.lite = d.ice_lite;
  theirs.trickle = d.trickle;
  theirs.ice2 = d.ice2;
  theirs.renomination = std::ranges::find(d.ice_options, "renomination") != d.ice_options.end();
  agent.set_remote(std::move(theirs));
  // RFC 8838 §4.1 takes a description without the option "trickle" for a whole one. Too many peers trickle without saying so
  // (pion, webrtc-rs, werift); those that do not trickle lose nothing, for a whole description says where its candidates end.
  if (d.end_of_candidates) agent.remote_end_of_candidates();
}

base::result<void> usable(const sdp::data_description& d) {
  if (d.rejected || d.sctp_port == 0) return base::fail(errc::no_data_section);
  if (d.fingerprints.empty()) return base::fail(errc::no_fingerprint);
  return {};
}

}  // namespace

sdp::data_description peer_connection::describe(const ice::agent& agent) const {
  sdp::data_description d;
  d.session_id = host_.random_u64() >> 2;
  d.ice_ufrag = agent.local().ufrag;
  d.ice_pwd = agent.local().pwd;
  if (agent.local().renomination) d.ice_options.emplace_back("renomination");
  for (const auto& c : agent.local_candidates()) d.candidates.push_back(ice::format(c));
  d.fingerprints = {certificate_.fingerprint()};
  d.max_message_size = options_.max_message_size;
  return d;
}

async::task<base::result<std::string>> peer_connection::create_offer() {
  if (local_ || remote_) co_return base::fail(errc::wrong_state);
  path_.current()->set_controlling(true);  // RFC 8445 §6.1.1
  co_await async::with_timeout(options_.gather_patience, path_.current()->gathered());
  if (close_asked_.is_set()) co_return base::fail(errc::closed);
  local_ = sdp::create_offer(describe(*path_.current()));
  co_return sdp::format_data_description(*local_);
}

async::task<base::result<std::string>> peer_connection::accept_offer(std::string sdp_text) {
  auto theirs = sdp::parse_data_description(sdp_text);
  if (!theirs) co_return base::fail(theirs.error());
  if (auto fine = usable(*theirs); !fine) co_return base::fail(fine.error());
  if (described_.is_set()) co_return co_await accept_change(std::move(*theirs));
  if (local_ || remote_) co_return base::fail(errc::wrong_state);

  const auto agent = path_.current();
  agent->set_controlling(theirs->ice_lite);
  describe_peer(*agent, *theirs);
  remote_ = std::move(*theirs);
  co_await async::with_timeout(options_.gather_patience, agent->gathered());
  if (close_asked_.is_set()) co_return base::fail(errc::closed);
  auto answer = sdp::create_answer(describe(*agent), *remote_);
  if (!answer) co_return base::fail(answer.error());
  local_ = std::move(*answer);
  dtls_role_ = role_of(local_->setup);
  described_.set();
  co_return sdp::format_data_description(*local_);
}

base::result<void> peer_connection::accept_answer(std::string_view sdp_text) {
  const bool restart = restart_offer_.has_value();
  if (!local_ || (remote_ && !restart)) return base::fail(errc::wrong_state);
  const auto& ours = restart ? *restart_offer_ : *local_;
  auto theirs = sdp::parse_data_description(sdp_text);
  if (!theirs) return base::fail(theirs.error());
  if (auto fits = sdp::check_answer(ours, *theirs); !fits) return fits;
  if (auto fine = usable(*theirs); !fine) return fine;
  const auto role = theirs->setup == sdp::setup_role::passive ? dtls::role::client : dtls::role::server;
  if (restart) {
    if (auto kept = keeps_association(*theirs); !kept) return kept;
    if (role != dtls_role_) return base::fail(errc::another_session);
    local_ = std::move(*restart_offer_);
    restart_offer_.reset();
  }
  describe_peer(*path_.newest(), *theirs);
  remote_ = std::move(*theirs);
  dtls_role_ = role;
  local_->setup = setup_of(role);  // what later descriptions have to keep (RFC 8842 §5.5)
  described_.set();
  return {};
}

base::result<void> peer_connection::keeps_association(const sdp::data_description& theirs) const {
  if (auto allowed = sdp::check_change(*remote_, theirs); !allowed) return allowed;
  if (sdp::is_new_dtls_association(*remote_, theirs) || theirs.sctp_port != remote_->sctp_port)
    return base::fail(errc::another_session);
  return {};
}

async::task<base::result<std::string>> peer_connection::restart(std::string why) {
  if (!described_.is_set() || restart_offer_ || close_asked_.is_set()) co_return base::fail(errc::wrong_state);
  const auto agent = path_.restart(why);
  co_await async::with_timeout(options_.gather_patience, agent->gathered());
  if (path_.newest() != agent || close_asked_.is_set()) co_return base::fail(errc::wrong_state);
  restart_offer_ = sdp::create_offer(describe(*agent), &*local_);
  co_return sdp::format_data_description(*restart_offer_);
}

bool peer_connection::continues(const sdp::data_description& offer) const {
  return described_.is_set() && remote_->session_id == offer.session_id && keeps_association(offer).has_value();
}

void peer_connection::rollback(std::string_view why) {
  restart_offer_.reset();
  path_.abandon_restart(why);
}

// RFC 8829 §5.10, §5.3.2: an offer within the session; with new credentials it restarts ICE.
async::task<base::result<std::string>> peer_connection::accept_change(sdp::data_description theirs) {
  if (restart_offer_ || close_asked_.is_set()) co_return base::fail(errc::wrong_state);
  if (auto kept = keeps_association(theirs); !kept) co_return base::fail(kept.error());
  auto agent = path_.newest();
  if (sdp::is_ice_restart(*remote_, theirs)) {
    agent = path_.restart("the peer restarts");
    describe_peer(*agent, theirs);
    co_await async::with_timeout(options_.gather_patience, agent->gathered());
    if (path_.newest() != agent || close_asked_.is_set()) co_return base::fail(errc::wrong_state);
  }
  auto answer = sdp::create_answer(describe(*agent), theirs, &*local_);
  if (!answer) co_return base::fail(answer.error());
  local_ = std::move(*answer);
  remote_ = std::move(theirs);
  co_return sdp::format_data_description(*local_);
}

base::result<void> peer_connection::add_candidate(std::string_view line) { return path_.add_candidate(line); }

async::task<std::optional<std::string>> peer_connection::next_candidate() {
  const auto agent = path_.newest();
  while (auto c = co_await agent->next_local_candidate()) {
    auto line = ice::format(*c);
    const auto says = [&](const std::optional<sdp::data_description>& d) {
      return d && d->ice_ufrag == agent->local().ufrag && std::ranges::find(d->candidates, line) != d->candidates.end();
    };
    if (says(local_) || says(restart_offer_)) continue;
    c->ufrag = agent->local().ufrag;  // RFC 8838 §9: whose it is, when a restart crosses it
    co_return ice::format(*c);
  }
  co_return std::nullopt;
}

}  // namespace strata::rtc
