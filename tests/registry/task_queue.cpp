// The task queue: who gets what, what may become of it, and that nothing is forgotten.
#include "registry/task_queue.hpp"

#include <doctest/doctest.h>

#include <map>
#include <optional>

#include "sim/generator.hpp"

using namespace strata;
using namespace strata::registry;
using namespace std::chrono_literals;

namespace {

struct lab {
  explicit lab(task_limits l = {}) : queue(l), limits(l) {}
  task_queue queue;
  task_limits limits;
  base::wall_time now = std::chrono::sys_days(std::chrono::year(2026) / 11 / 23);
  std::map<std::string, std::string> stored;
  std::uint8_t next = 1;

  void apply(const store::changes& changes) {
    for (const auto& c : changes) {
      CHECK(c.table == task_queue::table);
      if (c.value) stored[c.name] = *c.value;
      else CHECK(stored.erase(c.name) == 1);
    }
  }
  base::result<task_queue::submitted> submit(task_submission s, std::string_view owner = "ada") {
    const std::array<std::uint8_t, 8> random{1, 2, 3, 4, 5, static_cast<std::uint8_t>(next++ << 4)};
    auto out = queue.submit(std::move(s), owner, random, now);
    if (out) apply(out->changes);
    return out;
  }
  std::string of(task_submission s, std::string_view owner = "ada") {
    const auto out = submit(std::move(s), owner);
    REQUIRE(out);
    return out->what->id;
  }
  std::vector<std::string> claim(std::string_view agent, std::vector<std::string> skills = {}, std::size_t most = 100) {
    const auto out = queue.claim(agent, skills, most, now);
    apply(out.changes);
    std::vector<std::string> ids;
    for (const auto* t : out.tasks) ids.push_back(t->id);
    return ids;
  }
  base::result<void> finish(const std::string& id, std::string_view agent, task_state how = task_state::completed,
                            std::string result = "done") {
    auto out = queue.finish(id, agent, how, std::move(result), {}, now);
    if (!out) return base::fail(out.error());
    apply(out->changes);
    return {};
  }
  void pass(base::duration d) {
    now += std::chrono::duration_cast<base::wall_time::duration>(d);
    apply(queue.sweep(now));
  }
  task_state state(const std::string& id) { return queue.find(id)->state; }
  // As after a restart: from what was stored.
  void restart() {
    std::vector<store::record> records;
    for (const auto& [name, value] : stored) records.push_back({name, value});
    REQUIRE(queue.load(records));
  }
};

task_submission for_target(std::string target, std::string skill = {}) {
  return {.skill = std::move(skill), .target = std::move(target), .source = "ada", .payload = base::json::make({{"n", 1}})};
}
task_submission for_skill(std::string skill) { return for_target({}, std::move(skill)); }

}  // namespace

TEST_CASE("a task for a target is for nobody else, whatever skills they have") {
  lab l;
  const auto id = l.of(for_target("grace", "sums"));
  CHECK(l.claim("hedy", {"sums"}).empty());
  CHECK(l.claim("grace") == std::vector{id});
  CHECK(l.claim("grace").empty());
}

TEST_CASE("a task for a skill goes to one of those who have it") {
  lab l;
  const auto id = l.of(for_skill("sums"));
  CHECK(l.claim("grace", {"songs"}).empty());
  CHECK(l.claim("grace", {"songs", "sums"}) == std::vector{id});
  CHECK(l.claim("hedy", {"sums"}).empty());
  CHECK(l.queue.find(id)->assigned == "grace");
}

TEST_CASE("the most urgent comes first, then the oldest, and no more than was asked for") {
  lab l;
  auto urgent = for_skill("sums");
  urgent.priority = 7;
  const auto first = l.of(for_skill("sums"));
  l.pass(1s);
  const auto second = l.of(for_target("grace"));
  l.pass(1s);
  const auto third = l.of(urgent);
  CHECK(l.claim("grace", {"sums"}, 2) == std::vector{third, first});
  CHECK(l.claim("grace", {"sums"}, 2) == std::vector{second});
}

TEST_CASE("every change of state that there is, and none besides") {
  enum class deed { claim, complete, fail, cancel, lease_over, time_over, agent_gone };
  const auto prepare = [](lab& l, task_state s) {
    auto t = for_target("grace");
    t.ttl = 100s;
    const auto id = l.of(t);
    if (s != task_state::pending) l.claim("grace");
    if (is_final(s)) REQUIRE(l.finish(id, "grace", s));
    return id;
  };
  const auto act = [](lab& l, const std::string& id, deed d) {
    switch (d) {
      case deed::claim: l.claim("grace"); break;
      case deed::complete: (void)l.finish(id, "grace", task_state::completed, "x"); break;
      case deed::fail: (void)l.finish(id, "grace", task_state::failed, "x"); break;
      case deed::cancel:
        if (auto out = l.queue.cancel(id, "ada", l.now)) l.apply(out->changes);
        break;
      case deed::lease_over: l.pass(50s); break;
      case deed::time_over: l.pass(101s); break;
      case deed::agent_gone: l.apply(l.queue.agent_gone("grace", l.now)); break;
    }
  };
  using enum task_state;
  const std::map<task_state, std::array<task_state, 7>> table{
      //          claim     complete   fail      cancel    lease    time    gone
      {pending, {assigned, pending, pending, failed, pending, failed, pending}},
      {assigned, {assigned, completed, failed, failed, pending, failed, pending}},
      {completed, {completed, completed, completed, completed, completed, completed, completed}},
      {failed, {failed, failed, failed, failed, failed, failed, failed}},
  };
  for (const auto& [before, after] : table)
    for (std::size_t d = 0; d < after.size(); ++d) {
      CAPTURE(to_string(before));
      CAPTURE(d);
      lab l;
      const auto id = prepare(l, before);
      act(l, id, static_cast<deed>(d));
      CHECK(to_string(l.state(id)) == to_string(after[d]));
    }
}

TEST_CASE("only its agent finishes a task; saying it again is fine, saying something else is not") {
  lab l;
  const auto id = l.of(for_target("grace"));
  CHECK(l.finish(id, "grace").error() == make_error_code(task_errc::not_assigned));  // not taken yet
  l.claim("grace");
  CHECK(l.finish(id, "hedy").error() == make_error_code(task_errc::not_assigned));
  CHECK(l.finish(id, "grace", task_state::pending).error() == make_error_code(task_errc::bad_state));
  CHECK(l.finish("12345678-123", "grace").error() == make_error_code(task_errc::not_found));
  CHECK(l.finish(id, "grace"));
  CHECK(l.finish(id, "grace"));
  CHECK(l.finish(id, "grace", task_state::completed, "something else").error() == make_error_code(task_errc::finished));
  CHECK(l.finish(id, "grace", task_state::failed).error() == make_error_code(task_errc::finished));
  CHECK(l.queue.find(id)->result == "done");
}

TEST_CASE("a result that comes after the lease is over belongs to nobody") {
  lab l;
  const auto id = l.of(for_skill("sums"));
  l.claim("grace", {"sums"});
  l.pass(46s);
  CHECK(l.state(id) == task_state::pending);
  CHECK(l.claim("hedy", {"sums"}) == std::vector{id});
  CHECK(l.finish(id, "grace").error() == make_error_code(task_errc::not_assigned));
  CHECK(l.finish(id, "hedy"));
}

TEST_CASE("an agent that names its tasks keeps them; one that only lives keeps them for two minutes") {
  lab l;
  const auto named = l.of(for_target("grace")), lost = l.of(for_target("grace")), quiet = l.of(for_target("hedy"));
  l.claim("grace");
  l.claim("hedy");
  const std::vector<std::string> running{named};
  for (int n = 0; n < 16; ++n) {
    l.pass(15s);
    l.apply(l.queue.renew("grace", running, l.now));
    l.apply(l.queue.renew("hedy", std::nullopt, l.now));
    if (n == 2) CHECK(l.state(lost) == task_state::pending);  // the answer that carried it was lost
    if (n == 8) CHECK(l.state(quiet) == task_state::assigned);
  }
  CHECK(l.state(named) == task_state::assigned);
  CHECK(l.state(quiet) == task_state::pending);
}

TEST_CASE("what nobody ever finishes is given up in the end, and says so") {
  lab l;
  auto t = for_target("grace");
  t.ttl = 24h;
  const auto id = l.of(t);
  for (int n = 0; n < 5; ++n) {
    CHECK(l.claim("grace") == std::vector{id});
    l.pass(46s);
  }
  CHECK(l.state(id) == task_state::failed);
  CHECK(l.queue.find(id)->error == task_end::dead_letter);
  CHECK(l.claim("grace").empty());
}

TEST_CASE("time over is upstream's words, and a finished task is kept for an hour") {
  lab l;
  auto t = for_target("grace");
  t.ttl = 60s;
  const auto id = l.of(t);
  l.pass(59s);
  CHECK(l.state(id) == task_state::pending);
  CHECK(l.queue.next_sweep() == l.now + 1s);
  l.pass(1s);
  CHECK(l.queue.find(id)->error == "TTL expired");
  l.pass(59min);
  CHECK(l.queue.find(id) != nullptr);
  l.pass(1min);
  CHECK(l.queue.find(id) == nullptr);
  CHECK(l.stored.empty());
  CHECK_FALSE(l.queue.next_sweep());
}

TEST_CASE("the same idempotency key is the same task, for the same submitter") {
  lab l;
  auto t = for_target("grace");
  t.idempotency_key = "once";
  const auto first = l.submit(t);
  const auto again = l.submit(t);
  REQUIRE(again);
  CHECK(again->known);
  CHECK(again->what->id == first->what->id);
  CHECK(again->changes.empty());
  CHECK(l.submit(t, "somebody else")->what->id != first->what->id);
  t.payload = "another";
  CHECK(l.submit(t).error() == make_error_code(task_errc::key_reused));
  l.restart();
  t.payload = base::json::make({{"n", 1}});
  CHECK(l.submit(t)->known);
}

TEST_CASE("limits: payloads, tasks of one submitter, tasks in all, bytes in all") {
  lab l({.payload_bytes = 100, .all = 3, .of_one_owner = 2, .all_bytes = 1000});
  auto large = for_target("grace");
  large.payload = std::string(200, 'x');
  CHECK(l.submit(large).error() == make_error_code(task_errc::too_large));
  CHECK(l.submit({}).error() == make_error_code(task_errc::no_target));
  const auto id = l.of(for_target("grace"));
  l.of(for_target("grace"));
  CHECK(l.submit(for_target("grace")).error() == make_error_code(task_errc::too_many));
  l.of(for_target("grace"), "hedy");
  CHECK(l.submit(for_target("grace"), "joan").error() == make_error_code(task_errc::too_many));
  l.claim("grace");
  CHECK(l.queue.finish(id, "grace", task_state::completed, std::string(200, 'x'), {}, l.now).error() ==
        make_error_code(task_errc::too_large));
}

TEST_CASE("only the submitter cancels, and to others the task is not there") {
  lab l;
  const auto id = l.of(for_target("grace"));
  CHECK(l.queue.cancel(id, "hedy", l.now).error() == make_error_code(task_errc::not_found));
  CHECK(l.queue.cancel(id, "ada", l.now));
  CHECK(l.queue.cancel(id, "ada", l.now));
  CHECK(l.queue.find(id)->error == task_end::cancelled);
}

TEST_CASE("pages follow each other without gaps") {
  lab l;
  std::vector<std::string> all;
  for (int n = 0; n < 10; ++n) {
    all.push_back(l.of(for_target("grace")));
    l.pass(1ms);
  }
  std::vector<std::string> seen;
  for (std::string after;;) {
    const auto page = l.queue.list(after, 3);
    if (page.empty()) break;
    for (const auto* t : page) seen.push_back(t->id);
    after = seen.back();
  }
  CHECK(seen == all);
}

TEST_CASE("a submission says what is wrong with it") {
  const auto of = [](std::string_view text) { return task_submission::from(*base::json::parse(text)); };
  CHECK(of(R"({})"));
  CHECK(of(R"({"skill":"sums","target_agent_id":"x","source_agent_id":"y","payload":[1],"ttl":60,"priority":-3,"more":1})"));
  for (const auto* bad :
       {R"([])", R"("x")", R"({"skill":1})", R"({"skill":null})", R"({"ttl":0})", R"({"ttl":-1})", R"({"ttl":1.5})",
        R"({"ttl":"60"})", R"({"ttl":99999999999})", R"({"priority":101})", R"({"idempotency_key":{}})"})
    CHECK_FALSE(of(bad));
  CHECK_FALSE(task_submission::from(base::json::make({{"skill", std::string(257, 's')}})));
}

TEST_CASE("a task looks to clients as upstream's does") {
  lab l;
  const auto id = l.of(for_target("grace", "sums"));
  CHECK(id.size() == 12);
  CHECK(id[8] == '-');
  const auto j = l.queue.find(id)->to_json();
  for (const auto* name : {"id", "skill", "target_agent_id", "source_agent_id", "assigned_agent_id", "payload", "state",
                           "result", "error", "created_at", "updated_at", "ttl"})
    CHECK(j.find(name) != nullptr);
  CHECK(j.text("state") == "pending");
  CHECK(j.find("created_at")->as_double().has_value());
}

TEST_CASE("a stored task that cannot be read stops the start") {
  task_queue q;
  const std::vector<store::record> records{{"12345678-123", R"({"skill":"x"})"}};
  CHECK_FALSE(q.load(records));
}

// A walk of thousands of steps against what must always hold, with a restart from the store after any of them.
TEST_CASE("whatever happens: one holder at a time, an end only once, nothing forgotten, and a restart changes nothing") {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    sim::generator g(seed, "tasks");
    lab l;
    struct seen {
      task_state state;
      std::string result;
    };
    std::map<std::string, seen> final;
    std::map<std::string, base::wall_time> alive;  // acknowledged, and to be there until then at least
    const std::array<std::string, 3> agents{"grace", "hedy", "joan"};
    const auto one = [&](auto& of) -> auto& { return of[g.next() % of.size()]; };
    for (int step = 0; step < 800; ++step) {
      const auto what = g.next() % 10;
      const auto ids = l.queue.list({}, 1000);
      if (what < 3) {
        auto t = g.chance(0.5) ? for_target(one(agents)) : for_skill("sums");
        t.ttl = std::chrono::seconds(1 + g.next() % 600);
        std::array<std::uint8_t, 8> random;
        g.fill(random);
        const auto out = l.queue.submit(t, "ada", random, l.now);
        REQUIRE(out);
        l.apply(out->changes);
        alive[out->what->id] = l.now + t.ttl;
      } else if (what < 6) {
        l.claim(one(agents), {"sums"}, 1 + g.next() % 3);
      } else if (what < 8 && !ids.empty()) {
        const auto id = one(ids)->id;
        const auto before = *l.queue.find(id);
        const auto& agent = one(agents);
        const bool ok = l.finish(id, agent, g.chance(0.5) ? task_state::completed : task_state::failed).has_value();
        if (ok && !is_final(before.state)) CHECK(before.assigned == agent);
      } else if (what == 8) {
        l.apply(l.queue.agent_gone(one(agents), l.now));
      } else {
        l.pass(std::chrono::seconds(g.next() % 40));
      }
      if (g.chance(0.02)) {
        const auto count = l.queue.size();
        l.restart();
        CHECK(l.queue.size() == count);
      }
      if (step % 8 != 0) continue;
      for (const auto* t : l.queue.list({}, 1000)) {
        CHECK((t->state == task_state::assigned) <= !t->assigned.empty());
        if (!is_final(t->state)) {
          CHECK_FALSE(final.contains(t->id));
          continue;
        }
        const auto [at, fresh] = final.try_emplace(t->id, seen{t->state, t->result});
        CHECK(at->second.state == t->state);
        CHECK(at->second.result == t->result);
      }
      for (const auto& [id, until] : alive)
        if (l.now < until) CHECK(l.queue.find(id) != nullptr);
    }
  }
}
