#include "registry/task_service.hpp"

#include <algorithm>
#include <charconv>

namespace strata::registry {
namespace {

constexpr std::size_t most_of_a_heartbeat = 16, page = 500;
constexpr std::chrono::seconds longest_wait{55};  // below what proxies cut

http::response answer(int status, const base::json& body) { return http::response::json(status, body.dump()); }
http::response failure(int status, std::string_view why) { return answer(status, base::json::make({{"error", why}})); }

http::response refused(const base::error& e) {
  const auto is = [&](task_errc c) { return e.code == make_error_code(c); };
  if (is(task_errc::not_found)) return failure(404, "not found");
  if (is(task_errc::not_assigned)) return failure(403, e.message());
  if (is(task_errc::finished) || is(task_errc::key_reused)) return failure(409, e.message());
  if (is(task_errc::too_large)) return failure(413, e.message());
  if (is(task_errc::too_many)) return failure(503, e.message());
  if (e.code.category() == make_error_code(task_errc::not_found).category()) return failure(422, e.message());
  return failure(503, "the store failed: " + e.message());
}

base::result<base::json> body_of(const http::request& r) { return base::json::parse(r.body); }

std::optional<std::size_t> number(const http::request& r, std::string_view name, std::size_t otherwise) {
  const auto text = r.query(name);
  if (!text) return otherwise;
  std::size_t n = 0;
  const auto done = std::from_chars(text->data(), text->data() + text->size(), n);
  if (text->empty() || done.ec != std::errc() || done.ptr != text->data() + text->size()) return std::nullopt;
  return n;
}

async::task<> pulse(async::event& e) { co_await e.wait(); }

}  // namespace

std::string task_service::start() {
  const auto records = store_.load(task_queue::table);
  if (!records) return "the tasks cannot be read: " + records.error().message();
  const auto loaded = queue_.load(*records);
  return loaded ? std::string() : "the tasks cannot be read: " + loaded.error().message();
}

async::task<> task_service::run() {
  for (;;) {
    if (const auto due = queue_.next_sweep()) {
      const auto wait = std::max<base::duration>(*due - host_.wall_now(), std::chrono::milliseconds(1));
      co_await async::with_timeout(wait, pulse(changed_));
    } else {
      co_await changed_.wait();
    }
    if (auto swept = queue_.sweep(host_.wall_now()); !swept.empty()) {
      (void)co_await commit(std::move(swept));
      changed_.pulse();
    }
  }
}

// What the store could not keep has not happened.
async::task<base::result<void>> task_service::commit(store::changes c) {
  if (c.empty()) co_return base::result<void>();
  auto done = co_await store_.commit(std::move(c));
  if (!done) {
    ++counters_.store_failures;
    if (const auto records = store_.load(task_queue::table)) (void)queue_.load(*records);
  }
  co_return done;
}

std::optional<std::vector<std::string>> task_service::skills_of(std::string_view agent, const identity& who) const {
  if (agent == mailbox_of(who.peer_id)) return std::vector<std::string>();
  const auto* a = agents_.find(agent);
  return a != nullptr && a->owner == who.peer_id ? std::optional(a->info.skills) : std::nullopt;
}

async::task<http::response> task_service::submit(const http::request& r, identity who) {
  const auto body = body_of(r);
  if (!body) co_return failure(400, body.error().message());
  auto wish = task_submission::from(*body);
  if (!wish) {
    ++counters_.refused;
    co_return refused(wish.error());
  }
  std::array<std::uint8_t, 8> random;
  host_.random(random);
  auto made = queue_.submit(std::move(*wish), who.peer_id, random, host_.wall_now());
  if (!made) {
    ++counters_.refused;
    co_return refused(made.error());
  }
  const auto id = made->what->id;
  if (const auto kept = co_await commit(std::move(made->changes)); !kept) co_return refused(kept.error());
  ++counters_.submitted;
  changed_.pulse();
  co_return answer(200, base::json::make({{"task_id", id}}));
}

http::response task_service::list(const http::request& r) const {
  const auto most = number(r, "limit", page);
  if (!most || *most == 0 || *most > 10 * page) return failure(400, "limit is a number from 1 to 5000");
  base::json::array all;
  for (const auto* t : queue_.list(r.query("after").value_or(""), *most)) all.push_back(t->to_json());
  return answer(200, std::move(all));
}

http::response task_service::show(std::string_view id) const {
  const auto* t = queue_.find(id);
  return t == nullptr ? failure(404, "not found") : answer(200, t->to_json());
}

async::task<http::response> task_service::update(const http::request& r, std::string id, identity who) {
  const auto body = body_of(r);
  if (!body) co_return failure(400, body.error().message());
  const auto how = task_state_from(body->text("state"));
  if (!how) co_return refused(base::error(make_error_code(task_errc::bad_state)));
  const auto* t = queue_.find(id);
  // To an agent that the task is not assigned to it makes no difference whether it exists.
  if (t == nullptr) co_return failure(404, "not found");
  if (!skills_of(t->assigned, who)) co_return refused(base::error(make_error_code(task_errc::not_assigned)));
  auto done = queue_.finish(id, t->assigned, *how, std::string(body->text("result")), std::string(body->text("error")),
                            host_.wall_now());
  if (!done) {
    ++counters_.refused;
    co_return refused(done.error());
  }
  if (const auto kept = co_await commit(std::move(done->changes)); !kept) co_return refused(kept.error());
  ++(*how == task_state::completed ? counters_.completed : counters_.failed);
  changed_.pulse();
  co_return answer(200, base::json::make({{"status", "ok"}}));
}

async::task<http::response> task_service::cancel(std::string id, identity who) {
  auto done = queue_.cancel(id, who.peer_id, host_.wall_now());
  if (!done) co_return refused(done.error());
  if (const auto kept = co_await commit(std::move(done->changes)); !kept) co_return refused(kept.error());
  changed_.pulse();
  co_return answer(200, base::json::make({{"status", "ok"}}));
}

async::task<base::result<base::json>> task_service::claim(std::string agent, std::vector<std::string> skills,
                                                          std::size_t most) {
  auto taken = queue_.claim(agent, skills, most, host_.wall_now());
  base::json::array tasks;
  for (const auto* t : taken.tasks) tasks.push_back(t->to_json());
  // Nobody hears of a task before it is known to be his: otherwise a crash would give it to two.
  if (auto kept = co_await commit(std::move(taken.changes)); !kept) co_return base::fail(kept.error());
  counters_.claimed += tasks.size();
  if (!tasks.empty()) changed_.pulse();
  co_return base::json(std::move(tasks));
}

async::task<base::result<base::json>> task_service::pick_up(std::string agent,
                                                            std::optional<std::vector<std::string>> running) {
  const auto* a = agents_.find(agent);
  if (a == nullptr) co_return base::json(base::json::array());
  const auto skills = a->info.skills;
  std::optional<std::span<const std::string>> named;
  if (running) named = *running;
  if (auto kept = co_await commit(queue_.renew(agent, named, host_.wall_now())); !kept) co_return base::fail(kept.error());
  co_return co_await claim(agent, skills, most_of_a_heartbeat);
}

async::task<http::response> task_service::next(const http::request& r, identity who) {
  const auto agent = r.query("agent_id").value_or("");
  const auto wait = number(r, "wait", 0);
  if (!wait) co_return failure(400, "wait is a number of seconds");
  const auto until = host_.now() + std::min<std::chrono::seconds>(std::chrono::seconds(*wait), longest_wait);
  for (;;) {
    const auto skills = skills_of(agent, who);
    if (!skills) co_return failure(403, "this agent is not registered with these credentials");
    if (queue_.has_work(agent, *skills)) {
      const auto tasks = co_await claim(agent, *skills, 1);
      if (!tasks) co_return refused(tasks.error());
      if (!tasks->as_array()->empty()) co_return answer(200, tasks->as_array()->front());
    }
    if (host_.now() >= until) co_return http::response{.status = 204, .headers = {}, .body = {}};
    co_await async::with_timeout(until - host_.now(), pulse(changed_));
  }
}

async::task<base::result<base::json>> task_service::mail_for(std::string peer) {
  const auto mailbox = mailbox_of(peer);
  while (!queue_.has_work(mailbox, {})) co_await changed_.wait();
  co_return co_await claim(mailbox, {}, most_of_a_heartbeat);
}

async::task<base::result<void>> task_service::mail_again(std::string peer) {
  co_return co_await commit(queue_.agent_gone(mailbox_of(peer), host_.wall_now()));
}

async::task<> task_service::mail_is_done(std::string peer, std::string id) {
  auto done = queue_.finish(id, mailbox_of(peer), task_state::completed, {}, {}, host_.wall_now());
  if (!done) {
    ++counters_.refused;
    co_return;
  }
  if (co_await commit(std::move(done->changes))) ++counters_.completed;
  changed_.pulse();
}

}  // namespace strata::registry
