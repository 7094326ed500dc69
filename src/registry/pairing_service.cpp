#include "registry/pairing_service.hpp"

#include <algorithm>
#include <chrono>

namespace strata::registry {
namespace {

constexpr auto sweep_every = std::chrono::seconds(60);
constexpr std::string_view base_path = "/api/pairing/";

http::response answer(int status, const base::json& body) { return http::response::json(status, body.dump()); }
http::response failure(int status, std::string_view why) { return answer(status, base::json::make({{"error", why}})); }
http::response not_stored(const base::error& e) { return failure(503, "the store failed: " + e.message()); }

http::response too_many(base::duration wait, std::string_view why) {
  auto r = failure(429, why);
  r.headers.set("Retry-After", std::to_string(std::chrono::ceil<std::chrono::seconds>(wait).count()));
  return r;
}

http::response refused(const base::error& e) {
  const auto is = [&](pairing_errc c) { return e.code == make_error_code(c); };
  if (is(pairing_errc::unknown_code)) return failure(401, e.code.message());
  if (is(pairing_errc::not_found) || is(pairing_errc::not_pending) || is(pairing_errc::not_approved))
    return failure(404, e.code.message());
  if (is(pairing_errc::too_many_codes) || is(pairing_errc::too_many_entries)) return failure(503, e.code.message());
  return failure(400, e.message());
}

base::json outcome_body(const pairing::outcome& o) {
  auto v = base::json::make({{"id", o.entry.id}, {"status", to_string(o.entry.status)}, {"peer_id", o.entry.peer_id}});
  if (o.device_token) v.set("device_token", *o.device_token);
  return v;
}

}  // namespace

pairing_service::pairing_service(net::host& h, store::engine& s, revocations& revoked, pairing_config c,
                                 std::function<void(std::string_view)> on_revoked)
    : host_(h),
      store_(s),
      revoked_(revoked),
      config_(std::move(c)),
      on_revoked_(std::move(on_revoked)),
      pairing_(config_.codes) {}

std::vector<std::string> pairing_service::tables() {
  return {std::string(pairing::codes_table), std::string(pairing::entries_table), std::string(devices::table),
          std::string(revocations::table), std::string(audit_log::table)};
}

crypto::random_source pairing_service::random() const {
  return [this](base::byte_span out) { host_.random(out); };
}

std::string pairing_service::load() {
  const auto read = [&](std::string_view table, auto into) -> std::string {
    const auto records = store_.load(table);
    if (!records) return std::string(table) + ": " + records.error().message();
    const auto loaded = into(*records);
    return loaded ? std::string() : std::string(table) + ": " + loaded.error().message();
  };
  const auto codes = store_.load(pairing::codes_table);
  if (!codes) return codes.error().message();
  if (auto wrong = read(pairing::entries_table, [&](const auto& r) { return pairing_.load(*codes, r); }); !wrong.empty())
    return wrong;
  if (auto wrong = read(devices::table, [&](const auto& r) { return devices_.load(r); }); !wrong.empty()) return wrong;
  return read(revocations::table, [&](const auto& r) { return revoked_.load(r); });
}

std::string pairing_service::start() {
  if (auto wrong = load(); !wrong.empty()) return "the store cannot be read: " + wrong;
  const auto records = store_.load(audit_log::table);
  if (!records) return "the audit log cannot be read: " + records.error().message();
  const auto found = verify(*records);
  if (!found.whole())
    return "the audit log is broken at entry " + std::to_string(found.broken->number) + ": " + found.broken->why;
  audit_ = audit_log(found.head);
  return {};
}

async::task<> pairing_service::run() {
  for (;;) {
    co_await async::with_timeout(sweep_every, [](async::event& e) -> async::task<> { co_await e.wait(); }(recording_));
    recording_.reset();
    const auto now = host_.wall_now();
    auto changes = std::exchange(to_record_, {});
    for (auto& c : pairing_.sweep(now)) changes.push_back(std::move(c));
    for (auto& c : revoked_.sweep(now)) changes.push_back(std::move(c));
    (void)co_await commit(std::move(changes));
  }
}

// What the store could not keep has not happened; the audit log hands its entries out again.
async::task<base::result<void>> pairing_service::commit(store::changes c) {
  if (c.empty()) co_return base::result<void>();
  auto done = co_await store_.commit(c);
  if (!done) {
    audit_.give_back(c);
    (void)load();
  }
  co_return done;
}

client_address pairing_service::address_of(const http::request& r) const {
  std::vector<std::string_view> forwarded;
  bool otherwise = false;
  for (const auto& f : r.headers) {
    std::string name = f.name;
    std::ranges::transform(name, name.begin(),
                           [](char ch) { return ch >= 'A' && ch <= 'Z' ? static_cast<char>(ch + 32) : ch; });
    if (name == "x-forwarded-for") forwarded.push_back(f.value);
    if (name == "forwarded" || name == "x-real-ip" || name == "via") otherwise = true;
  }
  return find_client(r.remote.address, forwarded, otherwise, config_.trusted_proxies);
}

void pairing_service::record(const http::request& r, std::string_view who, std::string_view event, std::string detail,
                             store::changes& into) {
  for (auto& c : audit_.append(
           {host_.wall_now(), std::string(who), address_of(r).address.to_string(), std::string(event), std::move(detail)}))
    into.push_back(std::move(c));
}

void pairing_service::record_alone(const http::request& r, std::string_view who, std::string_view event, std::string detail) {
  record(r, who, event, std::move(detail), to_record_);
  recording_.set();
}

std::optional<http::response> pairing_service::out_of_tries(const http::request& r) {
  const auto wait = token_tries_.wait(address_of(r).address, host_.now());
  if (!wait) return std::nullopt;
  return too_many(*wait, "too many attempts, try again later");
}

void pairing_service::note_token(const http::request& r, const identity* who, std::string_view shown) {
  const auto from = address_of(r).address;
  if (who != nullptr) return token_tries_.vouch(from, host_.now());
  token_tries_.count(from, host_.now());
  record_alone(r, {}, "token.refused", shortened(shown));
}

async::task<http::response> pairing_service::handle(const http::request& r, std::optional<identity> who) {
  const auto path = std::string_view(r.path).substr(base_path.size());
  const auto wants = [&](std::string_view method) { return r.method == method || (method == "GET" && r.method == "HEAD"); };
  const auto not_allowed = [](std::string_view allow) {
    auto a = failure(405, "the method is not allowed here");
    a.headers.set("Allow", allow);
    return a;
  };
  if (path == "pair") co_return wants("POST") ? co_await redeem(r) : not_allowed("POST");
  const auto cut = path.find('/');
  const auto id = std::string(path.substr(0, cut));
  const auto what = cut == path.npos ? std::string() : std::string(path.substr(cut + 1));
  if (what == "status") co_return wants("POST") ? co_await claim(r, id) : not_allowed("POST");

  const bool known = path == "generate-code" || path == "pending" || path == "all" || what == "approve" || what == "reject" ||
                     what == "revoke";
  if (!known) co_return failure(404, "not found");
  const bool reads = path == "pending" || path == "all";
  if (!wants(reads ? "GET" : "POST")) co_return not_allowed(reads ? "GET" : "POST");
  if (!who) co_return failure(401, "credentials are needed");
  if (path == "generate-code") {
    if (who->role == role::observer) co_return failure(403, "an observer hands out no codes");
    co_return co_await generate(r, *who);
  }
  if (who->role != role::admin) {
    record_alone(r, who->peer_id, "pairing.forbidden", std::string(path));
    co_return failure(403, "only an admin decides who comes in");
  }
  if (reads) co_return list(path == "pending" ? std::optional(pairing_status::pending_approval) : std::nullopt);
  co_return co_await decide(r, id, what, *who);
}

async::task<http::response> pairing_service::generate(const http::request& r, identity who) {
  auto made = pairing_.generate(who.peer_id, host_.wall_now(), random());
  if (!made) co_return refused(made.error());
  record(r, who.peer_id, "pairing.code", shortened(made->code), made->changes);
  if (const auto kept = co_await commit(std::move(made->changes)); !kept) co_return not_stored(kept.error());
  co_return answer(
      200, base::json::make({{"code", made->code},
                             {"expires_in", std::chrono::duration_cast<std::chrono::seconds>(made->expires_in).count()}}));
}

async::task<http::response> pairing_service::redeem(const http::request& r) {
  const auto from = address_of(r).address;
  if (const auto wait = code_tries_.wait(from, host_.now()))
    co_return too_many(*wait, "too many pairing attempts, try again later");
  if (!r.headers.get("Content-Type").starts_with("application/json"))
    co_return failure(415, "the body must be application/json");
  const auto body = base::json::parse(r.body);
  if (!body) co_return failure(400, body.error().message());
  const auto wish = read_redemption(*body, config_.codes);
  if (!wish) co_return refused(wish.error());
  code_tries_.count(from, host_.now());
  auto done = pairing_.redeem(*wish, from.to_string(), host_.wall_now(), random());
  if (!done) {
    record_alone(r, {}, "pairing.refused", shortened(wish->code));
    co_return refused(done.error());
  }
  record(r, {}, "pairing.redeemed", done->entry.id + " " + done->entry.agent_name, done->changes);
  if (const auto kept = co_await commit(std::move(done->changes)); !kept) co_return not_stored(kept.error());
  co_return answer(200, outcome_body(*done));
}

// POST {"secret"}: how it stands, for who redeemed the code; with the token the first time after the approval.
async::task<http::response> pairing_service::claim(const http::request& r, std::string id) {
  const auto from = address_of(r).address;
  if (const auto wait = token_tries_.wait(from, host_.now())) co_return too_many(*wait, "too many attempts, try again later");
  const auto body = base::json::parse(r.body);
  if (!body) co_return failure(400, body.error().message());
  auto done = pairing_.claim(id, body->text("secret"), devices_, host_.wall_now(), random());
  if (!done) {
    token_tries_.count(from, host_.now());
    co_return refused(done.error());
  }
  if (done->device_token) record(r, done->entry.peer_id, "pairing.released", id, done->changes);
  if (const auto kept = co_await commit(std::move(done->changes)); !kept) co_return not_stored(kept.error());
  co_return answer(200, outcome_body(*done));
}

async::task<http::response> pairing_service::decide(const http::request& r, std::string id, std::string what, identity who) {
  const auto now = host_.wall_now();
  auto done = what == "approve"  ? pairing_.approve(id, who.peer_id, devices_, now, random())
              : what == "reject" ? pairing_.reject(id, who.peer_id, now)
                                 : pairing_.revoke(id, who.peer_id, devices_, revoked_, now);
  if (!done) co_return refused(done.error());
  record(r, who.peer_id, "pairing." + what, id + " " + done->entry.peer_id, done->changes);
  if (const auto kept = co_await commit(std::move(done->changes)); !kept) co_return not_stored(kept.error());
  if (what == "revoke") on_revoked_(done->entry.peer_id);
  co_return what == "approve" ? answer(200, outcome_body(*done)) : answer(200, base::json::make({{"status", "ok"}}));
}

http::response pairing_service::list(std::optional<pairing_status> s) const {
  base::json::array all;
  for (const auto* e : pairing_.list(host_.wall_now(), s)) all.push_back(to_json(*e));
  return answer(200, std::move(all));
}

}  // namespace strata::registry
