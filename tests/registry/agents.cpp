#include "registry/agents.hpp"

#include <doctest/doctest.h>

using namespace strata;
using namespace strata::registry;
using namespace std::chrono_literals;

namespace {

constexpr base::wall_time now{std::chrono::seconds(1'800'000'000)};
base::json body(const char* text) { return *base::json::parse(text); }

}  // namespace

TEST_CASE("a registered agent is listed with every field of the contract") {
  agents all;
  REQUIRE(
      all.register_agent(body(R"({"agent_id":"planner","hostname":"h","capabilities":{"skills":["plan"]}})"), "peer-1", now));
  CHECK(
      all.list(now).dump() ==
      R"([{"agent_id":"planner","hostname":"h","ip":"","port":8000,"sidecar_peer_id":"","status":"","mode":"","capabilities":{"skills":["plan"],"mcp_servers":[],"goals_count":0,"mode":""},"health":"active","registered_at":"2027-01-15T08:00:00.000000000+00:00","last_heartbeat":"2027-01-15T08:00:00.000000000+00:00"}])");
}

TEST_CASE("health follows the age of the last heartbeat") {
  agents all;
  REQUIRE(all.heartbeat(body(R"({"agent_id":"a"})"), "p", now));
  const auto& r = *all.find("a");
  CHECK(agents::health_of(r, now + 90s) == health::active);
  CHECK(agents::health_of(r, now + 91s) == health::stale);
  CHECK(agents::health_of(r, now + 270s) == health::stale);
  CHECK(agents::health_of(r, now + 271s) == health::offline);
}

TEST_CASE("a bare heartbeat wipes nothing") {
  agents all;
  REQUIRE(all.register_agent(
      body(R"({"agent_id":"a","hostname":"h","capabilities":{"skills":["s"]},"sidecar_peer_id":"a-sidecar"})"), "p", now));
  REQUIRE(all.heartbeat(body(R"({"agent_id":"a"})"), "p", now + 5s));
  CHECK(all.find("a")->info.hostname == "h");
  CHECK(all.find("a")->info.skills == std::vector<std::string>{"s"});
  CHECK(all.find("a")->last_heartbeat == now + 5s);
}

TEST_CASE("nobody speaks for another credential's agent") {
  agents all;
  REQUIRE(all.register_agent(body(R"({"agent_id":"a","hostname":"h"})"), "owner", now));
  CHECK(all.heartbeat(body(R"({"agent_id":"a"})"), "thief", now).error().code == agents_errc::name_taken);
  CHECK(all.register_agent(body(R"({"agent_id":"a","hostname":"x"})"), "thief", now).error().code == agents_errc::name_taken);
  CHECK_FALSE(all.remove("a", "thief"));
  CHECK(all.remove("a", "owner"));
  CHECK_FALSE(all.remove("a", "owner"));
}

TEST_CASE("a body with a wrong field changes nothing") {
  agents all;
  REQUIRE(all.register_agent(body(R"({"agent_id":"a","hostname":"h"})"), "p", now));
  for (const char* bad : {"[]", "null", "{}", R"({"agent_id":""})", R"({"agent_id":7})", R"({"agent_id":"a","port":70000})",
                          R"({"agent_id":"a","port":-1})", R"({"agent_id":"a","port":"80"})",
                          R"({"agent_id":"a","hostname":"new","skill_names":"x"})",
                          R"({"agent_id":"a","hostname":"new","skill_names":[1]})", R"({"agent_id":"a","hostname":null})"}) {
    CAPTURE(bad);
    CHECK_FALSE(all.heartbeat(body(bad), "p", now));
  }
  CHECK(all.find("a")->info.hostname == "h");
  CHECK(all.register_agent(body(R"({"agent_id":"b"})"), "p", now).error().code == agents_errc::missing_field);
}

TEST_CASE("routing prefers the agent heard from last and never one that is stale") {
  agents all;
  REQUIRE(all.heartbeat(body(R"({"agent_id":"a","skill_names":["s"]})"), "p", now));
  REQUIRE(all.heartbeat(body(R"({"agent_id":"b","skill_names":["s"]})"), "p", now + 10s));
  CHECK(all.route("s", now + 20s)->info.agent_id == "b");
  CHECK(all.route("s", now + 101s) == nullptr);
  CHECK(all.route("other", now) == nullptr);
}

TEST_CASE("the number of agents is bounded") {
  agents all(1);
  REQUIRE(all.heartbeat(body(R"({"agent_id":"a"})"), "p", now));
  CHECK(all.heartbeat(body(R"({"agent_id":"b"})"), "p", now).error().code == agents_errc::full);
}
