// Our stack as a bare peer for the interoperability tests: joins the registry, links to one peer, gives back every message.
// Says what happens as JSON lines on stdout, in the words of the other peers (peers/session.mjs).
#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "async/async.hpp"
#include "base/json.hpp"
#include "net/asio_host.hpp"
#include "rtc/peer_connection.hpp"
#include "rtc/turn_relay.hpp"
#include "signaling/session.hpp"

using namespace strata;

namespace {

constexpr std::string_view close_request = "close this channel", restart_request = "restart ICE";
using channel_pointer = std::shared_ptr<datachannel::channel>;

void report(base::json event) {
  std::puts(event.dump().c_str());
  std::fflush(stdout);
}

struct configuration {
  std::string registry, target, role;
  bool trickle = true, relay_only = false;
  std::vector<turn::server_info> relays;
};

rtc::options connection_options(net::host& h, const configuration& c) {
  rtc::options o;
  o.ice.relays = rtc::relay_sources(h, c.relays, {});
  if (c.relay_only) o.ice.policy = ice::candidate_policy::relay;
  if (!c.trickle) o.gather_patience = std::chrono::seconds(10);  // everything in the description
  o.restart_patience = std::chrono::seconds(10);
  return o;
}

class peer {
 public:
  peer(net::host& h, configuration c, signaling::session& s)
      : config_(std::move(c)), session_(s), connection_(h, make_certificate(h), connection_options(h, config_), {}) {}

  // Until the connection has ended.
  async::task<> run() {
    co_await async::with_scope(async::at_end::cancel, [this](async::scope& s) -> async::task<> {
      scope_ = &s;
      s.spawn("session", [this] { return session_.run(); });
      s.spawn("signaling", [this] { return hear(); });
      s.spawn("channels", [this] { return accept(); });
      s.spawn("restarts", [this] { return report_restarts(); });
      co_await connection_.run();
      report(base::json::make({{"event", "ended"}, {"reason", connection_.reason()}}));
    });
  }

 private:
  static dtls::certificate make_certificate(net::host& h) {
    return dtls::certificate::generate([&h](base::byte_span out) { h.random(out); }, h.wall_now());
  }

  async::task<> hear() {
    while (auto m = co_await session_.receive()) {
      if (m->what == signaling::kind::peer_list) {
        report(base::json::make({{"event", "registered"}}));
        if (config_.role == "offerer" && !started_) co_await offer();
      }
      if (m->peer_id != config_.target) continue;
      if (m->what == signaling::kind::offer && (started_ || config_.role == "answerer")) co_await answer(*m);
      if (m->what == signaling::kind::answer) complain(connection_.accept_answer(signaling::sdp_of(m->payload)));
      if (m->what == signaling::kind::ice_candidate)
        if (const auto c = signaling::candidate_of(m->payload)) complain(connection_.add_candidate(c->candidate));
    }
  }

  async::task<> offer() {
    started_ = true;
    scope_->spawn(
        "mesh", [this](channel_pointer c) { return echo(std::move(c)); }, connection_.create_channel({.label = "mesh"}));
    auto sdp = co_await connection_.create_offer();
    if (!complain(sdp)) co_return;
    tell(signaling::kind::offer, base::json::make({{"sdp", std::move(*sdp)}}));
    start_trickle();
  }

  // The first offer, and later ones: those restart ICE.
  async::task<> answer(const signaling::message& m) {
    started_ = true;
    auto sdp = co_await connection_.accept_offer(std::string(signaling::sdp_of(m.payload)));
    if (!complain(sdp)) co_return;
    tell(signaling::kind::answer, base::json::make({{"sdp", std::move(*sdp)}}));
    start_trickle();
  }

  async::task<> restart() {
    auto sdp = co_await connection_.restart("asked by the peer");
    if (!complain(sdp)) co_return;
    tell(signaling::kind::offer, base::json::make({{"sdp", std::move(*sdp)}}));
    start_trickle();
  }

  void start_trickle() {
    if (config_.trickle) scope_->spawn("trickle", [this] { return trickle(); });
  }

  async::task<> report_restarts() {
    auto seen = connection_.path().restarts();
    for (;;) {
      co_await connection_.path().changed();
      if (std::exchange(seen, connection_.path().restarts()) != seen) report(base::json::make({{"event", "restarted"}}));
    }
  }

  async::task<> trickle() {
    while (auto line = co_await connection_.next_candidate()) {
      signaling::candidate_payload c;
      c.candidate = std::move(*line);
      c.mid = "0";
      tell(signaling::kind::ice_candidate, signaling::to_payload(c));
    }
  }

  async::task<> accept() {
    while (auto channel = co_await connection_.accept_channel())
      scope_->spawn("channel", [this](channel_pointer c) { return echo(std::move(c)); }, channel);
  }

  async::task<> echo(channel_pointer c) {
    if (const auto opened = co_await c->opened(); opened) {
      report(base::json::make({{"event", "open"}, {"label", c->label()}}));
      while (auto m = co_await c->receive()) {
        if (m->text && base::as_text(m->data) == close_request) c->close();
        else if (m->text && base::as_text(m->data) == restart_request) co_await restart();
        else if (const auto sent = co_await c->send(std::move(*m)); !sent) complain(sent);
      }
    }
    co_await c->closed();
    report(base::json::make({{"event", "closed"}, {"label", c->label()}}));
  }

  void tell(signaling::kind what, base::json payload) {
    signaling::message m;
    m.what = what;
    m.target_id = config_.target;
    m.payload = std::move(payload);
    if (!session_.send(std::move(m)))
      report(base::json::make({{"event", "trouble"}, {"detail", "the registry takes no message"}}));
  }

  template <class Result>
  static bool complain(const Result& r) {
    if (!r) report(base::json::make({{"event", "trouble"}, {"detail", r.error().message()}}));
    return r.has_value();
  }

  configuration config_;
  signaling::session& session_;
  rtc::peer_connection connection_;
  async::scope* scope_ = nullptr;
  bool started_ = false;
};

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("strata_peer: gives back what a peer sends over data channels (API_KEY in the environment)");
  configuration c;
  app.add_option("--registry", c.registry, "http://HOST:PORT of the registry")->required();
  app.add_option("--target", c.target, "the one peer to link to")->required();
  app.add_option("--role", c.role)->check(CLI::IsMember({"offerer", "answerer"}))->required();
  bool whole = false;
  std::string relay, trust;
  app.add_option("--turn", relay, "turn: or turns: URI (TURN_USER and TURN_PASSWORD in the environment)");
  app.add_option("--trust", trust, "PEM file of roots to trust for turns:");
  app.add_flag("--relay-only", c.relay_only, "no candidates but those of the relay");
  app.add_flag("--no-trickle", whole, "gather first: every candidate in the description");
  CLI11_PARSE(app, argc, argv);

  c.trickle = !whole;
  if (!relay.empty()) {
    const auto from_environment = [](const char* name) {
      const char* value = std::getenv(name);
      return std::string(value != nullptr ? value : "");
    };
    auto server = turn::server_from_uri(relay, from_environment("TURN_USER"), from_environment("TURN_PASSWORD"));
    if (!server) {
      report(base::json::make({{"event", "trouble"}, {"detail", server.error().message()}}));
      return 2;
    }
    server->trust_file = trust;
    c.relays.push_back(std::move(*server));
  }

  signaling::session_config s;
  s.signaling_url = "ws" + c.registry.substr(4) + "/ws";
  s.token_url = c.registry + "/api/token";
  if (const char* key = std::getenv("API_KEY"); key != nullptr) s.api_key = key;

  net::asio_host host;
  signaling::session session(host, s, {});
  peer p(host, c, session);
  host.run(p.run());
  return 0;
}
