#include "rtc/peer_connection.hpp"

#include <algorithm>

#include "dtls/demux.hpp"
#include "dtls/retransmission.hpp"
#include "sdp/negotiation.hpp"

namespace strata::rtc {
namespace {

constexpr std::size_t most_early_datagrams = 8;  // a ClientHello in two datagrams, sent a few times over
constexpr auto sctp_limit = std::chrono::seconds(30);
constexpr auto goodbye_limit = std::chrono::milliseconds(500);

class category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "rtc"; }
  std::string message(int value) const override {
    switch (static_cast<errc>(value)) {
      case errc::wrong_state: return "the description does not fit the state of the negotiation";
      case errc::no_data_section: return "the description has no usable data-channel section";
      case errc::no_fingerprint: return "the description has no certificate fingerprint";
      case errc::connection_failed: return "no path to the peer";
      case errc::handshake_failed: return "the DTLS handshake failed";
      case errc::association_failed: return "the SCTP association failed";
      case errc::closed: return "the connection is closed";
    }
    return "unknown error";
  }
};

async::task<> until(async::event& e) { co_await e.wait(); }

}  // namespace

std::error_code make_error_code(errc e) noexcept {
  static const category instance;
  return {static_cast<int>(e), instance};
}

std::string_view to_string(connection_state s) noexcept {
  switch (s) {
    case connection_state::fresh: return "new";
    case connection_state::connecting: return "connecting";
    case connection_state::connected: return "connected";
    case connection_state::disconnected: return "disconnected";
    case connection_state::failed: return "failed";
    case connection_state::closed: return "closed";
  }
  return "?";
}

peer_connection::peer_connection(net::host& host, dtls::certificate own, options o, trace::tracer tracer)
    : host_(host),
      certificate_(std::move(own)),
      options_(std::move(o)),
      tracer_(std::move(tracer)),
      ice_(host, options_.ice, tracer_),
      channels_(host, datachannel::endpoint_config{.max_message_size = options_.max_message_size}, tracer_) {
  timings_.began = host_.now();
  ice_.on_datagram = [this](base::byte_view d) { on_datagram(d); };
}

peer_connection::~peer_connection() = default;

async::task<> peer_connection::run() {
  struct end {
    peer_connection& self;
    ~end() {
      self.ice_.close();
      self.set_state(self.state_ == connection_state::failed ? connection_state::failed : connection_state::closed,
                     self.reason_.empty() ? "closed" : self.reason_);
      self.ended_.set();
    }
  } const at_end{*this};
  co_await async::with_scope(async::at_end::cancel, [this](async::scope& s) -> async::task<> {
    s.spawn("ice", [this] { return ice_.run(); });
    s.spawn("gathering clock", [this]() -> async::task<> {
      co_await ice_.gathered();
      ended(&timings::gathered);
    });
    // The peer is told with datagrams that ask for no answer, while there is a path for them: the body of a scope ends
    // before its children, also when all is cancelled. After an orderly end the abort has nothing left to do.
    struct farewell {
      peer_connection& self;
      ~farewell() {
        self.channels_.close();
        if (self.sctp_) self.sctp_->abort("closed");
        if (self.dtls_) self.dtls_->close();
      }
    } const goodbye{*this};
    co_await async::first_of(establish(), until(close_asked_));
    co_await async::with_timeout(goodbye_limit, close_in_order());
  });
}

// The life of a connection, top to bottom.
async::task<> peer_connection::establish() {
  // RFC 8829 §3.5: nothing can start before both descriptions are known.
  co_await described_.wait();
  ended(&timings::described);
  set_state(connection_state::connecting, "descriptions exchanged");

  if (const auto path = co_await ice_.connected(); !path) co_return fail("ICE: " + path.error().message());
  ended(&timings::paired);

  start_dtls();
  // RFC 8261 §3: DTLS runs over the path, SCTP inside it; no data before the fingerprint has been verified.
  if (const auto secure = co_await dtls_->handshake(); !secure)
    co_return fail("DTLS: " + secure.error().message() + " " + dtls_->reason());
  ended(&timings::dtls);

  tracer_(host_.now(), trace::phase{trace::layer::sctp, "sctp", true, {}});
  if (const auto up = co_await async::with_timeout(sctp_limit, sctp_->connect()); !up)
    co_return fail("SCTP: " + up.error().message());
  ended(&timings::sctp);
  tracer_(host_.now(), trace::phase{trace::layer::sctp, "sctp", false, {}});

  set_state(connection_state::connected, "association up");
  co_await async::first_of(channels_.run(), watch_path(), dtls_->closed(), sctp_->closed());
  if (reason_.empty() || state_ == connection_state::connected) reason_ = "the peer closed the connection";
}

// Consent can come and go (RFC 7675); only the agent's final word ends the connection.
async::task<> peer_connection::watch_path() {
  auto seen = ice_.state();
  for (;;) {
    if (seen == ice::agent_state::failed || seen == ice::agent_state::closed) co_return fail("ICE: the path was lost");
    if (seen == ice::agent_state::disconnected) set_state(connection_state::disconnected, "no answer on the path");
    else if (state_ == connection_state::disconnected) set_state(connection_state::connected, "the path answers again");
    seen = co_await ice_.next_state(seen);
  }
}

async::task<> peer_connection::close_in_order() {
  if (state_ != connection_state::connected) co_return;
  channels_.close();
  co_await sctp_->shutdown();  // RFC 9260 §9.2: what was sent is delivered first
}

async::task<base::result<std::string>> peer_connection::create_offer() {
  if (local_ || remote_) co_return base::fail(errc::wrong_state);
  ice_.set_controlling(true);  // RFC 8445 §6.1.1
  co_await async::with_timeout(options_.gather_patience, ice_.gathered());
  if (close_asked_.is_set()) co_return base::fail(errc::closed);
  local_ = sdp::create_offer(describe());
  co_return sdp::format_data_description(*local_);
}

async::task<base::result<std::string>> peer_connection::accept_offer(std::string sdp_text) {
  if (local_ || remote_) co_return base::fail(errc::wrong_state);
  auto theirs = sdp::parse_data_description(sdp_text);
  if (!theirs) co_return base::fail(theirs.error());
  ice_.set_controlling(theirs->ice_lite);
  if (auto applied = apply_remote(std::move(*theirs)); !applied) co_return base::fail(applied.error());
  co_await async::with_timeout(options_.gather_patience, ice_.gathered());
  if (close_asked_.is_set()) co_return base::fail(errc::closed);
  auto answer = sdp::create_answer(describe(), *remote_);
  if (!answer) co_return base::fail(answer.error());
  local_ = std::move(*answer);
  dtls_role_ = local_->setup == sdp::setup_role::active ? dtls::role::client : dtls::role::server;  // RFC 8842 §5.3
  described_.set();
  co_return sdp::format_data_description(*local_);
}

base::result<void> peer_connection::accept_answer(std::string_view sdp_text) {
  if (!local_ || remote_) return base::fail(errc::wrong_state);
  auto theirs = sdp::parse_data_description(sdp_text);
  if (!theirs) return base::fail(theirs.error());
  if (auto fits = sdp::check_answer(*local_, *theirs); !fits) return fits;
  const auto role = theirs->setup == sdp::setup_role::passive ? dtls::role::client : dtls::role::server;
  if (auto applied = apply_remote(std::move(*theirs)); !applied) return applied;
  dtls_role_ = role;
  described_.set();
  return {};
}

base::result<void> peer_connection::apply_remote(sdp::data_description d) {
  if (d.rejected || d.sctp_port == 0) return base::fail(errc::no_data_section);
  if (d.fingerprints.empty()) return base::fail(errc::no_fingerprint);
  std::vector<ice::candidate> candidates;
  for (const auto& line : d.candidates)
    if (auto c = ice::parse_candidate(line)) candidates.push_back(std::move(*c));  // RFC 8839 §5.1: unusable ones are ignored
  for (auto& c : candidates) (void)ice_.add_remote_candidate(std::move(c));        // the agent counts those it cannot use
  // After the candidates: checks of the peer that came before its description then find them by their own names.
  ice::description theirs;
  theirs.ufrag = d.ice_ufrag;
  theirs.pwd = d.ice_pwd;
  theirs.lite = d.ice_lite;
  theirs.trickle = d.trickle;
  theirs.ice2 = d.ice2;
  ice_.set_remote(std::move(theirs));
  if (d.end_of_candidates || !d.trickle) ice_.remote_end_of_candidates();
  remote_ = std::move(d);
  return {};
}

sdp::data_description peer_connection::describe() const {
  sdp::data_description d;
  d.session_id = host_.random_u64() >> 2;
  d.ice_ufrag = ice_.local().ufrag;
  d.ice_pwd = ice_.local().pwd;
  for (const auto& c : ice_.local_candidates()) d.candidates.push_back(ice::format(c));
  d.fingerprints = {certificate_.fingerprint()};
  d.max_message_size = options_.max_message_size;
  return d;
}

void peer_connection::start_dtls() {
  dtls::config d;
  if (const auto pair = ice_.selected()) d.initial_timeout = dtls::initial_timeout(pair->rtt);
  dtls_ = std::make_unique<dtls::endpoint>(
      host_, certificate_, dtls_role_, remote_->fingerprints, d,
      [this](base::byte_view datagram) { return ice_.send(datagram); }, tracer_);
  sctp::association_config a;
  a.mtu = static_cast<std::uint16_t>(dtls_->max_payload());
  a.remote_port = remote_->sctp_port;
  a.max_message_size = options_.max_message_size;
  sctp_ = sctp::make_usrsctp_association(
      host_, a,
      [this](base::byte_view packet) {
        tracer_(host_.now(), trace::inner_packet{trace::direction::sent, packet});
        return dtls_->send(packet);
      },
      tracer_);
  dtls_->on_data = [this](base::byte_view packet) {
    tracer_(host_.now(), trace::inner_packet{trace::direction::received, packet});
    sctp_->receive(packet);
  };
  channels_.attach(*sctp_, dtls_role_ == dtls::role::client, remote_->max_message_size);
  for (const auto& early : std::exchange(early_datagrams_, {})) dtls_->receive(early);
}

void peer_connection::on_datagram(base::byte_view datagram) {
  if (dtls::classify(datagram) != dtls::packet_kind::dtls) return;
  if (dtls_) return dtls_->receive(datagram);
  // A ClientHello may overtake the answer (RFC 8842 §5.2), or our own finding that the path works.
  if (early_datagrams_.size() < most_early_datagrams) early_datagrams_.push_back(base::to_bytes(datagram));
}

base::result<void> peer_connection::add_candidate(std::string_view line) { return ice_.add_remote_candidate(line); }

async::task<std::optional<std::string>> peer_connection::next_candidate() {
  while (auto c = co_await ice_.next_local_candidate()) {
    auto line = ice::format(*c);
    const bool in_description =
        local_ && std::find(local_->candidates.begin(), local_->candidates.end(), line) != local_->candidates.end();
    if (!in_description) co_return line;
  }
  co_return std::nullopt;
}

std::shared_ptr<datachannel::channel> peer_connection::create_channel(datachannel::channel_options o) {
  return channels_.create(std::move(o));
}

async::task<std::shared_ptr<datachannel::channel>> peer_connection::accept_channel() { co_return co_await channels_.accept(); }

async::task<base::result<void>> peer_connection::connected() {
  while (state_ == connection_state::fresh || state_ == connection_state::connecting) co_await state_changed_.wait();
  if (state_ == connection_state::connected || state_ == connection_state::disconnected) co_return base::result<void>();
  co_return base::fail(state_ == connection_state::failed ? errc::connection_failed : errc::closed);
}

async::task<> peer_connection::closed() { co_await ended_.wait(); }

void peer_connection::close() {
  if (reason_.empty()) reason_ = "closed here";
  close_asked_.set();
}

void peer_connection::fail(std::string reason) {
  reason_ = std::move(reason);
  set_state(connection_state::failed, reason_);
  close_asked_.set();
}

void peer_connection::set_state(connection_state next, std::string reason) {
  if (next == state_) return;
  tracer_(host_.now(), trace::state_change{trace::layer::rtc, "connection", to_string(state_), to_string(next), reason});
  state_ = next;
  state_changed_.pulse();
}

void peer_connection::ended(std::optional<base::duration> timings::* phase) {
  if (!(timings_.*phase)) timings_.*phase = host_.now() - timings_.began;
}

}  // namespace strata::rtc
