#include "registry/service.hpp"

#include "base/base64.hpp"
#include "registry/state_files.hpp"
#include "store/sqlite.hpp"

namespace strata::registry {
namespace {

constexpr auto turn_lifetime = std::chrono::hours(1);
constexpr auto store_pause = std::chrono::seconds(1);  // after a commit that failed
constexpr std::uint16_t close_revoked = 4003;
constexpr std::uint16_t close_slow = 1008;  // RFC 6455 §7.4.1: policy violation
constexpr std::size_t most_connections = 16'384;
constexpr std::size_t most_connections_per_address = 4'096;  // a proxy in front is one address
constexpr std::string_view development_key = "ak_dev_001";

http::response json_response(int status, const base::json& body) { return http::response::json(status, body.dump()); }
http::response failure(int status, std::string_view why) { return json_response(status, base::json::make({{"error", why}})); }
http::response ok() { return json_response(200, base::json::make({{"status", "ok"}})); }

int status_of(const base::error& e) {
  if (e.code == make_error_code(agents_errc::name_taken)) return 403;
  if (e.code == make_error_code(agents_errc::full)) return 503;
  if (e.code == base::errc::not_found) return 404;
  return 422;
}

http::response refused(const base::error& e) {
  return failure(status_of(e), e.code == base::errc::not_found ? "not found" : e.message());
}

http::response unauthorised(std::string_view why) {
  auto r = http::response::unauthorised("Bearer");
  const auto body = failure(401, why);
  r.body = body.body;
  r.headers.set("Content-Type", "application/json");
  return r;
}

std::optional<http::response> not_json(const http::request& r) {
  if (r.headers.get("Content-Type").starts_with("application/json")) return std::nullopt;
  return failure(415, "the body must be application/json");
}

async::task<> until(async::event& e) { co_await e.wait(); }

http::response method_not_allowed(std::string_view allow) {
  auto r = failure(405, "the method is not allowed here");
  r.headers.set("Allow", allow);
  return r;
}

}  // namespace

service::service(net::host& h, service_config c, trace::tracer t)
    : host_(h),
      config_(std::move(c)),
      tracer_(std::move(t)),
      cors_(config_.cors_origins),
      relay_([this](std::string_view peer) { return is_member(peer); }) {}

service::~service() = default;

std::string service::start() {
  for (const auto& l : config_.listen)
    if (config_.dev && !l.address.is_loopback())
      return "--dev is for loopback only; it would let anybody in at " + l.to_string();
  if (config_.tls_certificate.empty() != config_.tls_key.empty()) return "--tls-cert and --tls-key belong together";
  if (auto trouble = read_keys(); !trouble.empty()) return trouble;
  auto secret = token_secret(host_, config_.token_secret, config_.state_directory);
  if (!secret) return secret.error();
  if (const auto used = tokens_.use(*secret, host_.wall_now()); !used) return used.error().message();
  if (auto trouble = open_store(); !trouble.empty()) return trouble;

  http::server_options options;
  options.max_connections = most_connections;
  options.max_connections_per_address = most_connections_per_address;
  options.websocket.max_message = signaling::largest_message;
  options.drain_time = config_.drain - config_.drain_delay;
  if (!config_.tls_certificate.empty()) {
    auto loaded = net::load_tls_identity(host_, config_.tls_certificate, config_.tls_key);
    if (!loaded) return config_.tls_certificate + ": " + loaded.error().message();
    identity_ = std::move(*loaded);
    options.secure = true;
    options.wrap = [this](std::unique_ptr<net::stream> s) { return net::tls_accept(host_, std::move(s), identity_); };
  }
  for (const auto& l : config_.listen) {
    auto listener = host_.listen_tcp(l);
    if (!listener) return "cannot listen on " + l.to_string() + ": " + listener.error().message();
    bound_.push_back((*listener)->local_endpoint());
    listeners_.push_back(std::move(*listener));
  }
  server_ = std::make_unique<http::server>(
      host_, std::move(options),
      http::server_handlers{
          .on_request = [this](const http::request& r) { return handle(r); },
          .on_websocket = [this](const http::request& r, http::websocket& ws) { return serve_socket(r, ws); }},
      tracer_);
  if (config_.stun) {
    stun_ = std::make_unique<stun_service>(host_, stun_service_config{*config_.stun, config_.stun_alternate}, tracer_);
    if (auto trouble = stun_->start(); !trouble.empty()) return trouble;
  }
  if (config_.turn)
    if (auto trouble = start_turn(identity_); !trouble.empty()) return trouble;
  if (!config_.ports_file.empty()) {
    base::json ports;
    ports.set("http", bound_.front().port);
    ports.set("stun", stun_ ? stun_->endpoint().port : 0);
    ports.set("turn", turn_ ? turn_->endpoint().port : 0);
    if (auto trouble = write_file(config_.ports_file, ports.dump(), 0644); !trouble.empty()) return trouble;
  }
  return {};
}

std::string service::start_turn(std::shared_ptr<const net::tls_server_identity> identity) {
  if (config_.turn_secret.empty()) {
    auto kept = turn_secret(host_, config_.state_directory);
    if (!kept) return kept.error();
    config_.turn_secret = std::move(*kept);
  }
  turn_ = std::make_unique<turn_service>(host_, *config_.turn, tracer_);
  if (auto trouble = turn_->start(config_.turn_secret, std::move(identity)); !trouble.empty()) return trouble;
  if (config_.turn_urls.empty()) config_.turn_urls = turn_->urls();
  return {};
}

store::schema service::schema() {
  auto tables = pairing_service::tables();
  tables.insert(tables.end(), {std::string(task_queue::table), std::string(watched_store::table)});
  return {.tables = std::move(tables)};
}

std::string service::open_store() {
  const bool kept = !config_.state_directory.empty();
  const auto path = kept ? config_.state_directory + "/registry.db" : std::string(":memory:");
  auto opened = store::open_sqlite(host_, path, schema());
  if (!opened) return path + ": " + opened.error().message();
  store_ = std::make_unique<watched_store>(host_, std::move(*opened));
  tasks_ = std::make_unique<task_service>(host_, *store_, agents_);
  pairing_ = std::make_unique<pairing_service>(host_, *store_, revocations_, config_.pairing,
                                               [this](std::string_view peer) { cut_off(peer); });
  if (auto trouble = pairing_->start(); !trouble.empty()) return trouble;
  return tasks_->start();
}

bool service::is_member(std::string_view peer) const {
  return keys_.names_peer(peer) || (pairing_ && pairing_->names_peer(peer));
}

// Whose access has ended hears nothing more, and the others hear that it is gone.
void service::cut_off(std::string_view peer) {
  if (const auto c = relay_.connection_of(peer))
    if (const auto at = sockets_.find(*c); at != sockets_.end()) at->second->start_close(close_revoked, "access was revoked");
}

std::string service::read_keys() {
  if (config_.keys_file.empty()) {
    if (!config_.dev)
      return "no API keys: give --keys FILE (make one with: registryd --keys FILE add-key PEER), or --dev on loopback";
    const auto added = keys_.add(development_key, {"agent-001", role::agent}, host_.wall_now());
    return added ? std::string() : added.error().message();
  }
  const auto text = read_file(config_.keys_file);
  if (!text) return text.error();
  const auto imported = keys_.import_file(*text, host_.wall_now());
  return imported ? std::string() : config_.keys_file + ": " + imported.error().message();
}

async::task<> service::run() {
  co_await async::with_scope(async::at_end::cancel, [this](async::scope& s) -> async::task<> {
    if (stun_) s.spawn("stun responder", [this] { return stun_->run(); });
    if (turn_) s.spawn("turn server", [this] { return turn_->run(); });
    s.spawn("tasks", [this] { return tasks_->run(); });
    s.spawn("pairing", [this] { return pairing_->run(); });
    s.spawn("drain", [this] { return drain(); });
    co_await async::with_scope(async::at_end::join, [this](async::scope& listening) -> async::task<> {
      for (auto& l : listeners_) listening.spawn("listener", [this, &l] { return server_->run(std::move(l)); });
      co_return;
    });
  });
}

async::task<http::response> service::handle(const http::request& r) {
  ++counters_.requests;
  auto preflight = cors_.preflight(r);
  auto answer = preflight ? std::move(*preflight) : co_await dispatch(r);
  cors_.mark(r, answer);
  ++counters_.answers[static_cast<std::size_t>(answer.status / 100)];
  co_return answer;
}

async::task<http::response> service::dispatch(const http::request& r) {
  if (r.path == "/api/hub/heartbeat") co_return r.method == "POST" ? co_await heartbeat(r) : method_not_allowed("POST");
  if (r.path == "/api/hub/tasks" || r.path.starts_with("/api/hub/tasks/")) co_return co_await handle_tasks(r);
  if (r.path.starts_with("/api/pairing/")) co_return co_await pairing_->handle(r, authenticate(r));
  if (r.path == "/readyz") co_return r.method == "GET" || r.method == "HEAD" ? co_await readiness() : method_not_allowed("GET");
  co_return answer(r);
}

async::task<http::response> service::handle_tasks(const http::request& r) {
  const auto who = authenticate(r);
  if (!who) {
    ++counters_.unauthorised;
    co_return unauthorised("credentials are needed");
  }
  constexpr std::string_view all = "/api/hub/tasks";
  const bool reads = r.method == "GET" || r.method == "HEAD";
  if (r.method == "POST")
    if (auto wrong = not_json(r)) co_return std::move(*wrong);
  if (r.path == all) {
    if (r.method == "POST") co_return co_await tasks_->submit(r, *who);
    co_return reads ? tasks_->list(r) : method_not_allowed("GET, POST");
  }
  const auto id = r.path.substr(all.size() + 1);
  if (id == "all") co_return reads ? tasks_->list(r) : method_not_allowed("GET");
  if (id == "next") {
    if (!reads) co_return method_not_allowed("GET");
    auto [next, leaving] = co_await async::first_of(tasks_->next(r, *who), until(going_));
    co_return next ? std::move(*next) : http::response{.status = 204, .headers = {}, .body = {}};
  }
  if (reads) co_return tasks_->show(id);
  if (r.method == "POST") co_return co_await tasks_->update(r, id, *who);
  if (r.method == "DELETE") co_return co_await tasks_->cancel(id, *who);
  co_return method_not_allowed("GET, POST, DELETE");
}

http::response service::answer(const http::request& r) {
  const std::string_view path = r.path;
  const auto only = [&](std::string_view method) { return r.method == method || (method == "GET" && r.method == "HEAD"); };
  if (path == "/ws") return only("GET") ? upgrade(r) : method_not_allowed("GET");
  if (path == "/healthz") return only("GET") ? ok() : method_not_allowed("GET");
  if (path == "/api/openapi.json") return only("GET") ? description() : method_not_allowed("GET");
  if (path == "/metrics") return only("GET") ? metrics() : method_not_allowed("GET");
  if (path == "/api/token") return only("POST") ? issue_token(r) : method_not_allowed("POST");
  if (path == "/api/config") return only("GET") ? ice_config(r) : method_not_allowed("GET");
  if (path == "/api/registry/route") return only("GET") ? route(r) : method_not_allowed("GET");
  if (path == "/api/registry/agents") {
    if (only("GET")) return list_agents(r);
    return only("POST") ? register_agent(r) : method_not_allowed("GET, POST");
  }
  constexpr std::string_view one_agent = "/api/registry/agents/";
  if (path.starts_with(one_agent) && path.size() > one_agent.size()) {
    const auto id = path.substr(one_agent.size());
    if (only("GET")) return show_agent(r, id);
    return only("DELETE") ? remove_agent(r, id) : method_not_allowed("GET, DELETE");
  }
  return failure(404, "not found");
}

// An API key in X-API-Key, or a token in Authorization.
std::optional<identity> service::authenticate(const http::request& r) const {
  if (const auto key = r.headers.single("X-API-Key")) {
    const auto* who = keys_.find(*key);
    return who != nullptr ? std::optional(*who) : std::nullopt;
  }
  constexpr std::string_view scheme = "Bearer ";
  if (const auto authorization = r.headers.single("Authorization"); authorization && authorization->starts_with(scheme))
    return authenticate_token(authorization->substr(scheme.size()));
  return std::nullopt;
}

std::optional<identity> service::authenticate_token(std::string_view token) const {
  const auto c = tokens_.verify(token, host_.wall_now(), revocations_);
  // A key that was taken out of the file takes its tokens with it.
  if (!c || !is_member(c->sub)) return std::nullopt;
  return identity{c->sub, c->role};
}

// An API key, or the token of a paired device.
http::response service::issue_token(const http::request& r) {
  if (auto later = pairing_->out_of_tries(r)) return std::move(*later);
  const auto key = r.headers.single("X-API-Key"), device = r.headers.single("X-Device-Token");
  const auto* who = key ? keys_.find(*key) : nullptr;
  if (who == nullptr && device) who = pairing_->find(*device);
  if (key || device) pairing_->note_token(r, who, who != nullptr ? std::string_view() : device.value_or(key.value_or("")));
  if (who == nullptr) {
    ++counters_.tokens_refused;
    tracer_(host_.now(), trace::drop{trace::layer::registry,
                                     key ? "a token was asked for with an unknown key" : "a token was asked for without a key",
                                     r.remote, 0});
    return unauthorised("an API key is needed in X-API-Key, or a device token in X-Device-Token");
  }
  std::array<std::uint8_t, 16> random;
  host_.random(random);
  const auto issued = tokens_.issue(*who, host_.wall_now(), random);
  if (!issued) return failure(500, issued.error().message());
  ++counters_.tokens_issued;
  return json_response(200,
                       base::json::make({{"token", issued->token}, {"peer_id", who->peer_id}, {"role", to_string(who->role)}}));
}

// exception: turnrest-2.1-a peers ask /api/config, which authenticates them; there is no open "service=turn" to guess usernames
// at exception: turnrest-2.2-a the reply is the iceServers of WebRTC, which both daemons and browsers take as it is exception:
// turnrest-2.2-d an hour: peers ask again before they gather exception: turnrest-6-a the server is ours and knows its peers
// anyway; their quota goes by that name
http::response service::ice_config(const http::request& r) const {
  const auto who = authenticate(r);
  base::json::array servers;
  base::json::array stun_urls;
  for (const auto& s : config_.public_stun) stun_urls.emplace_back("stun:" + s);
  if (stun_ && !stun_->endpoint().address.is_unspecified()) stun_urls.emplace_back("stun:" + stun_->endpoint().to_string());
  if (turn_) stun_urls.emplace_back(turn_->stun_url());
  if (!stun_urls.empty()) servers.push_back(base::json::make({{"urls", std::move(stun_urls)}}));
  // TURN costs its owner bandwidth: credentials are for known peers, each under its own name, and soon over.
  if (who && !config_.turn_urls.empty() && !config_.turn_secret.empty()) {
    const auto c = make_turn_credential(config_.turn_secret, who->peer_id, host_.wall_now() + turn_lifetime);
    servers.push_back(base::json::make({{"urls", base::json::array(config_.turn_urls.begin(), config_.turn_urls.end())},
                                        {"username", c.username},
                                        {"credential", c.credential}}));
  }
  return json_response(200, base::json::make({{"iceServers", std::move(servers)}}));
}

http::response service::change(const http::request& r,
                               base::result<void> (agents::*what)(const base::json&, std::string_view, base::wall_time),
                               base::json answer) {
  const auto who = authenticate(r);
  if (!who) {
    ++counters_.unauthorised;
    return unauthorised("credentials are needed");
  }
  if (auto wrong = not_json(r)) return std::move(*wrong);
  const auto body = base::json::parse(r.body);
  if (!body) {
    ++counters_.bad_bodies;
    return failure(400, body.error().message());
  }
  if (const auto done = (agents_.*what)(*body, who->peer_id, host_.wall_now()); !done) {
    ++counters_.bad_bodies;
    return refused(done.error());
  }
  return json_response(200, answer);
}

http::response service::register_agent(const http::request& r) {
  return change(r, &agents::register_agent, base::json::make({{"status", "ok"}}));
}

// The agent lives, and takes what there is to do for it.
async::task<http::response> service::heartbeat(const http::request& r) {
  auto taken = change(r, &agents::heartbeat, base::json::make({{"status", "ok"}}));
  if (taken.status != 200) co_return taken;
  const auto body = base::json::parse(r.body);
  std::optional<std::vector<std::string>> running;  // ours; upstream's agents do not say
  if (const auto* list = body->find("running"); list != nullptr && list->as_array() != nullptr) {
    running.emplace();
    for (const auto& id : *list->as_array())
      if (id.as_string() != nullptr) running->push_back(*id.as_string());
  }
  const auto tasks = co_await tasks_->pick_up(std::string(body->text("agent_id")), std::move(running));
  if (!tasks) co_return failure(503, "the store failed: " + tasks.error().message());
  co_return json_response(200, base::json::make({{"status", "ok"}, {"pending_tasks", *tasks}}));
}

bool service::may_read(const http::request& r) {
  if (config_.dev || authenticate(r)) return true;
  ++counters_.unauthorised;
  return false;
}

http::response service::list_agents(const http::request& r) {
  if (!may_read(r)) return unauthorised("credentials are needed");
  return json_response(200, agents_.list(host_.wall_now()));
}

http::response service::show_agent(const http::request& r, std::string_view id) {
  if (!may_read(r)) return unauthorised("credentials are needed");
  const auto* record = agents_.find(id);
  return record != nullptr ? json_response(200, agents::to_json(*record, host_.wall_now())) : failure(404, "not found");
}

http::response service::route(const http::request& r) {
  if (!may_read(r)) return unauthorised("credentials are needed");
  const auto skill = r.query("skill");
  if (!skill || skill->empty()) return failure(400, "the parameter skill is missing");
  if (const auto* record = agents_.route(*skill, host_.wall_now()))
    return json_response(200, agents::to_json(*record, host_.wall_now()));
  return json_response(404, base::json::make({{"error", "no agent found with skill"}, {"skill", *skill}}));
}

http::response service::remove_agent(const http::request& r, std::string_view id) {
  const auto who = authenticate(r);
  if (!who) {
    ++counters_.unauthorised;
    return unauthorised("credentials are needed");
  }
  if (const auto removed = agents_.remove(id, who->peer_id); !removed) return refused(removed.error());
  return ok();
}

// The token comes in the query, where every client of this protocol puts it, or in a header, where logs do not see it.
std::optional<identity> service::authenticate_socket(const http::request& r) const {
  const auto token = r.query("token");
  return token ? authenticate_token(*token) : authenticate(r);
}

http::response service::upgrade(const http::request& r) {
  if (authenticate_socket(r)) return http::accept_websocket(r);
  ++counters_.unauthorised;
  tracer_(host_.now(), trace::drop{trace::layer::registry, "a socket was asked for without a valid token", r.remote, 0});
  return unauthorised("a valid token is needed");
}

async::task<> service::serve_socket(const http::request& r, http::websocket& ws) {
  const auto who = authenticate_socket(r);
  if (!who) co_return;
  const signaling::connection_id id(next_connection_++);
  struct connected {
    service& self;
    signaling::connection_id id;
    const std::string& peer;
    ~connected() {
      self.sockets_.erase(id);
      self.tracer_(self.host_.now(), trace::note{trace::layer::registry, peer, "disconnected"});
      self.deliver(self.relay_.disconnected(id));
    }
  } const entry{*this, id, who->peer_id};
  tracer_(host_.now(), trace::note{trace::layer::registry, who->peer_id, "connected from " + r.remote.to_string()});
  sockets_.emplace(id, &ws);
  ++counters_.sockets_opened;
  deliver(relay_.connected(id, who->peer_id));
  async::event takes_tasks;
  co_await async::first_of(listen_to(id, who->peer_id, ws, takes_tasks), push_tasks(who->peer_id, ws, takes_tasks));
}

async::task<> service::listen_to(signaling::connection_id id, std::string peer, http::websocket& ws,
                                 async::event& takes_tasks) {
  for (;;) {
    const auto m = co_await ws.receive();
    if (!m) co_return;
    if (!m->text) continue;  // binary frames are nothing of this protocol
    const auto out = relay_.received(id, m->data);
    if (!out.dropped.empty())
      tracer_(host_.now(), trace::drop{trace::layer::signaling, out.dropped, ws.remote_endpoint(), m->data.size()});
    deliver(out);
    if (relay_.takes_tasks(id)) takes_tasks.set();
    if (!out.finished_task.empty()) co_await tasks_->mail_is_done(peer, out.finished_task);
  }
}

// Tier 3 in milliseconds: what waits for a peer's meshd goes out on its socket as soon as it is there.
async::task<> service::push_tasks(std::string peer, http::websocket& ws, async::event& takes_tasks) {
  co_await takes_tasks.wait();
  (void)co_await tasks_->mail_again(peer);
  for (;;) {
    const auto tasks = co_await tasks_->mail_for(peer);
    if (!tasks) {
      co_await async::sleep_for(store_pause);
      continue;
    }
    for (const auto& t : *tasks->as_array()) {
      signaling::message m;
      m.what = signaling::kind::task;
      m.peer_id = signaling::registry_id;
      m.target_id = peer;
      m.payload = t;
      if (!co_await ws.send_text(signaling::format(m))) co_return;
    }
  }
}

void service::deliver(const signaling::relay_outcome& out) {
  for (const auto c : out.close_replaced)
    if (const auto at = sockets_.find(c); at != sockets_.end())
      at->second->start_close(signaling::close_replaced, "the peer connected again");
  for (const auto& d : out.deliveries) {
    const auto at = sockets_.find(d.to);
    if (at == sockets_.end() || at->second->try_send_text(d.text)) continue;
    // A client that does not read is let go; when it comes back it learns everything anew.
    ++counters_.sockets_slow;
    at->second->start_close(close_slow, "too slow");
  }
}

}  // namespace strata::registry
