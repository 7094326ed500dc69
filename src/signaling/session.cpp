#include "signaling/session.hpp"

#include <algorithm>

#include "base/backoff.hpp"
#include "http/client.hpp"
#include "net/tls_stream.hpp"

namespace strata::signaling {
namespace {

constexpr std::size_t incoming_limit = 1024;         // messages
constexpr std::size_t outgoing_limit = 1u << 20;     // bytes
constexpr std::size_t largest_reply = 64 * 1024;     // of the token and configuration routes
constexpr auto token_use = std::chrono::minutes(4);  // a token lives for five
constexpr auto ask_patience = std::chrono::seconds(15);
constexpr std::string_view config_path = "/api/config";

std::size_t text_size(const std::string& s) noexcept { return s.size(); }

http::tls_connector tls_of(net::host& h, const std::string& trust_file) {
  return [&h, trust_file](std::unique_ptr<net::stream> s, std::string name) {
    return net::tls_connect(h, std::move(s), {.server_name = std::move(name), .trust_file = trust_file});
  };
}

}  // namespace

std::string_view to_string(session_state s) noexcept {
  switch (s) {
    case session_state::idle: return "idle";
    case session_state::authenticating: return "authenticating";
    case session_state::connecting: return "connecting";
    case session_state::registered: return "registered";
    case session_state::waiting: return "waiting";
  }
  return "?";
}

session::session(net::host& h, session_config c, trace::tracer t)
    : host_(h), config_(std::move(c)), tracer_(std::move(t)), incoming_(incoming_limit), outgoing_(outgoing_limit, text_size) {}

async::task<> session::run() {
  base::backoff pauses(config_.least_pause, config_.most_pause);
  for (;;) {
    set_state(session_state::authenticating, "connecting to the registry");
    const auto connects = counters_.connects;
    const auto [ended, overtaken] = co_await async::first_of(attempt(), until_overtaken());
    if (overtaken && !ended) continue;  // what failed was the network before; on this one nothing has been tried
    if (counters_.connects != connects) pauses.reset();
    ++counters_.failures;
    set_state(session_state::waiting, last_error_);
    const auto pause = pauses.next(host_.random_u64());
    co_await async::with_timeout(pause, [](async::event& e) -> async::task<> { co_await e.wait(); }(network_changed_));
  }
}

async::task<> session::attempt() {
  auto token = co_await exchange_token();
  if (!token) {
    last_error_ = token.error().message();
    co_return;
  }
  const auto ended = co_await talk(std::move(*token));
  last_error_ = ended ? "the registry closed the connection" : ended.error().message();
}

// An attempt that was begun on another network would wait for its time-outs.
async::task<> session::until_overtaken() {
  do co_await network_changed_.wait();
  while (state_ == session_state::registered);
  last_error_ = "the network changed while connecting";
}

// POST token_url with the API key: {"token", "peer_id", "role"}.
async::task<base::result<std::string>> session::exchange_token() {
  const auto url = http::url::parse(config_.token_url);
  if (!url) co_return base::fail(url.error());
  http::outgoing_request r{.method = "POST", .url = *url, .headers = {}, .body = {}};
  if (config_.api_key.empty()) r.headers.set("X-Device-Token", config_.device_token);
  else r.headers.set("X-API-Key", config_.api_key);
  http::fetch_options o;
  o.tls = tls_of(host_, config_.trust_file);
  const auto reply = co_await http::fetch(host_, std::move(r), std::move(o));
  if (!reply) co_return base::fail(reply.error());
  if (reply->status == 401 || reply->status == 403) co_return base::fail(session_errc::key_refused);
  if (reply->status != 200)
    co_return base::fail(session_errc::unexpected_reply, base::error::nowhere, "200 from the token route");
  const auto v = base::json::parse(reply->body);
  if (!v || v->text("token").empty() || !valid_peer_id(v->text("peer_id")))
    co_return base::fail(session_errc::unexpected_reply, base::error::nowhere, "token and peer_id");
  peer_id_ = v->text("peer_id");
  token_ = v->text("token");
  token_since_ = host_.now();
  co_return token_;
}

async::task<base::result<http::response>> session::ask(std::string method, std::string path, std::string body) {
  auto url = http::url::parse(config_.token_url);
  if (!url) co_return base::fail(url.error());
  url->path = std::move(path);
  url->query.clear();
  for (bool fresh = false;; fresh = true) {
    if (fresh || token_.empty() || host_.now() - token_since_ > token_use)
      if (const auto token = co_await exchange_token(); !token) co_return base::fail(token.error());
    http::outgoing_request r{.method = method, .url = *url, .headers = {{"Authorization", "Bearer " + token_}}, .body = body};
    if (!body.empty()) r.headers.set("Content-Type", "application/json");
    http::fetch_options o;
    o.timeout = ask_patience;
    o.tls = tls_of(host_, config_.trust_file);
    auto reply = co_await http::fetch(host_, std::move(r), std::move(o));
    // A registry that was restarted, or rotated its secret, knows the token no more.
    if (fresh || !reply || reply->status != 401) co_return reply;
  }
}

// GET /api/config beside the token route; a registry without it is no trouble.
async::task<bool> session::fetch_config(std::string token) {
  auto url = http::url::parse(config_.token_url);
  if (!url) co_return false;
  url->path = config_path;
  url->query.clear();
  http::outgoing_request r{.method = "GET", .url = *url, .headers = {{"Authorization", "Bearer " + token}}, .body = {}};
  http::fetch_options o;
  o.timeout = config_.config_patience;
  o.tls = tls_of(host_, config_.trust_file);
  const auto reply = co_await http::fetch(host_, std::move(r), std::move(o));
  if (reply) config_answered_ = true;
  if (!reply || reply->status != 200 || reply->body.size() > largest_reply) co_return false;
  const auto v = base::json::parse(reply->body);
  const auto* servers = v ? v->find("iceServers") : nullptr;
  if (servers == nullptr || !servers->is_array()) co_return false;
  ice_servers_ = *servers;
  ice_servers_changed_.pulse();
  co_return true;
}

async::task<bool> session::renew_ice_servers() {
  auto token = co_await exchange_token();
  if (!token) co_return false;
  co_return co_await fetch_config(std::move(*token));
}

async::task<base::result<void>> session::talk(std::string token) {
  set_state(session_state::connecting, "token received");
  config_answered_ = false;
  (void)co_await fetch_config(token);
  auto url = http::url::parse(config_.signaling_url);
  if (!url) co_return base::fail(url.error());
  url->add_parameter("token", token);
  http::websocket_connect_options o;
  o.socket.max_message = largest_message;
  o.socket.ping_every = config_.ping_every;
  o.socket.pong_within = config_.pong_within;
  o.tls = tls_of(host_, config_.trust_file);
  auto socket = co_await http::websocket_connect(host_, *url, std::move(o), tracer_);
  if (!socket) co_return base::fail(socket.error());
  ++counters_.connects;
  while (outgoing_.try_receive()) {  // meant for a connection that is gone
  }
  co_await async::first_of((*socket)->run(), send_all(**socket), receive_all(**socket), pass_doubt(**socket),
                           insist_on_config(), until_gone((*socket)->local_endpoint().address));
  co_return base::result<void>();
}

// Without servers there may be no way to anybody; a request that was lost is no reason to do without them.
async::task<> session::insist_on_config() {
  base::backoff pauses(config_.least_pause, config_.most_pause);
  while (!config_answered_) {
    co_await async::sleep_for(pauses.next(host_.random_u64()));
    (void)co_await renew_ice_servers();
  }
  async::event never;
  co_await never.wait();
}

async::task<> session::pass_doubt(http::websocket& socket) {
  for (;;) {
    co_await doubted_.wait();
    socket.doubt();
  }
}

// TCP would find out after minutes.
async::task<> session::until_gone(base::ip_address local) {
  const auto is_it = [&](const net::interface_address& i) { return i.up && i.address == local; };
  do co_await network_changed_.wait();
  while (std::ranges::any_of(host_.interfaces(), is_it));
}

async::task<> session::send_all(http::websocket& socket) {
  message m;
  m.what = kind::registration;
  m.peer_id = peer_id_;
  m.payload = config_.registration;
  if (!co_await socket.send_text(format(m))) co_return;
  while (auto text = co_await outgoing_.receive()) {
    if (!co_await socket.send_text(std::move(*text))) co_return;
    ++counters_.sent;
  }
}

async::task<> session::receive_all(http::websocket& socket) {
  for (;;) {
    const auto in = co_await socket.receive();
    if (!in) co_return;
    auto m = parse(in->data);
    if (!m) {
      ++counters_.dropped_malformed;
      tracer_(host_.now(), trace::drop{trace::layer::signaling, "malformed message from the registry", socket.remote_endpoint(),
                                       in->data.size()});
      continue;
    }
    ++counters_.received;
    if (m->what == kind::peer_list) {
      last_error_.clear();
      set_state(session_state::registered, "peer list received");
    }
    (void)co_await incoming_.send(std::move(*m));
  }
}

bool session::send(message m) {
  if (!registered()) {
    ++counters_.dropped_while_away;
    return false;
  }
  m.peer_id = peer_id_;
  return outgoing_.try_send(format(m));
}

void session::set_state(session_state next, std::string_view reason) {
  if (next == state_) return;
  tracer_(host_.now(), trace::state_change{trace::layer::signaling, "session", to_string(state_), to_string(next), reason});
  state_ = next;
}

namespace {

class category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "registry session"; }
  std::string message(int value) const override {
    switch (static_cast<session_errc>(value)) {
      case session_errc::key_refused: return "the registry does not know the API key or device token (401)";
      case session_errc::unexpected_reply: return "the registry's reply is not understood";
    }
    return "unknown error";
  }
};

}  // namespace

std::error_code make_error_code(session_errc e) noexcept {
  static const category instance;
  return {static_cast<int>(e), instance};
}

}  // namespace strata::signaling
