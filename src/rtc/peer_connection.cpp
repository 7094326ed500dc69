#include "rtc/peer_connection.hpp"

#include <algorithm>

#include "dtls/demux.hpp"
#include "dtls/retransmission.hpp"
#include "rtc/turn_relay.hpp"

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
      case errc::another_session: return "the description does not continue this session";
      case errc::no_fingerprint: return "the description has no certificate fingerprint";
      case errc::connection_failed: return "no path to the peer";
      case errc::handshake_failed: return "the DTLS handshake failed";
      case errc::association_failed: return "the SCTP association failed";
      case errc::closed: return "the connection is closed";
    }
    return "unknown error";
  }
};

ice::agent_config with_relays(net::host& host, const options& o, const trace::tracer& t) {
  auto c = o.ice;
  for (auto& source : relay_sources(host, o.turn_servers, t)) c.relays.push_back(std::move(source));
  return c;
}

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
      path_(host, with_relays(host, options_, tracer_), tracer_),
      channels_(host, datachannel::endpoint_config{.max_message_size = options_.max_message_size}, tracer_) {
  timings_.began = host_.now();
  path_.on_datagram = [this](base::byte_view d) { on_datagram(d); };
}

peer_connection::~peer_connection() = default;

void peer_connection::set_servers(const options& o) {
  options_.ice.stun_servers = o.ice.stun_servers;
  options_.turn_servers = o.turn_servers;
  path_.set_config(with_relays(host_, options_, tracer_));
}

async::task<> peer_connection::run() {
  struct end {
    peer_connection& self;
    ~end() {
      self.path_.close();
      self.set_state(self.state_ == connection_state::failed ? connection_state::failed : connection_state::closed,
                     self.reason_.empty() ? "closed" : self.reason_);
      self.ended_.set();
    }
  } const at_end{*this};
  co_await async::with_scope(async::at_end::cancel, [this](async::scope& s) -> async::task<> {
    s.spawn("path", [this] { return path_.run(); });
    s.spawn("gathering clock", [this]() -> async::task<> {
      co_await path_.current()->gathered();
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

  if (const auto path = co_await path_.current()->connected(); !path) co_return fail("ICE: " + path.error().message());
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

// Consent can come and go (RFC 7675). What was lost for good, a restart may replace; only without one the connection ends.
async::task<> peer_connection::watch_path() {
  const auto usable_again = [](rtc::path& way) -> async::task<> {
    while (way.current()->state() == ice::agent_state::failed) co_await way.changed();
  };
  for (;;) {
    const auto seen = path_.current()->state();
    if (seen == ice::agent_state::closed) co_return fail("ICE: the path was lost");
    const bool lost = seen == ice::agent_state::failed;
    if (lost || seen == ice::agent_state::disconnected) set_state(connection_state::disconnected, "no answer on the path");
    else if (state_ == connection_state::disconnected) set_state(connection_state::connected, "the path answers again");
    if (!lost) co_await path_.changed();
    else if (!co_await async::with_timeout(options_.restart_patience, usable_again(path_)))
      co_return fail("ICE: the path was lost");
  }
}

async::task<> peer_connection::close_in_order() {
  if (state_ != connection_state::connected) co_return;
  channels_.close();
  co_await sctp_->shutdown();  // RFC 9260 §9.2: what was sent is delivered first
}

void peer_connection::start_dtls() {
  dtls::config d;
  if (const auto pair = path_.current()->selected()) d.initial_timeout = dtls::initial_timeout(pair->rtt);
  dtls_ = std::make_unique<dtls::endpoint>(
      host_, certificate_, dtls_role_, remote_->fingerprints, d,
      [this](base::byte_view datagram) { return path_.send(datagram); }, tracer_);
  sctp::association_config a;
  a.mtu = static_cast<std::uint16_t>(dtls_->max_payload());
  a.remote_port = remote_->sctp_port;
  a.max_message_size = options_.max_message_size;
  a.silence_limit += options_.restart_patience;  // while there is hope for another path, nothing is given up
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
