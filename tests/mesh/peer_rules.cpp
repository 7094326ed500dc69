#include "mesh/peer_rules.hpp"

#include <doctest/doctest.h>

using namespace strata;
using mesh::peer_rules;

namespace {

mesh::message request(std::string_view skill, base::json hops = {}) {
  mesh::message m;
  m.type = "task_request";
  m.request_id = "r";
  m.payload = base::json::make({{"skill", skill}});
  if (!hops.is_null()) m.payload.set("hops", std::move(hops));
  return m;
}
mesh::message of_type(std::string_view type) {
  mesh::message m;
  m.type = type;
  return m;
}

constexpr auto file = R"({
  "everyone": {"types": ["task_request", "agent_*"], "not_skills": ["shell", "admin-*"]},
  "peers": {
    "ada": {},
    "grace-sidecar": {"types": ["task_request"], "skills": ["add", "text-*"], "not_skills": ["text-delete"]},
    "hedy": {"not_types": ["agent_prompt"], "verified_only": true},
    "mallory": {"types": []}
  },
  "most_hops": 3
})";

}  // namespace

TEST_CASE("rules decide for each peer, each type and each skill") {
  const auto rules = peer_rules::parse(file);
  REQUIRE(rules);
  struct row {
    mesh::sender from;
    mesh::message what;
    bool allowed;
  };
  for (const auto& r : {
           row{{"someone", "", false}, request("add"), true},
           row{{"someone", "", false}, request("shell"), false},
           row{{"someone", "", false}, request("admin-"), false},
           row{{"someone", "", false}, request("administer"), true},
           row{{"someone", "", false}, of_type("agent_prompt"), true},
           row{{"someone", "", false}, of_type("agent_"), true},
           row{{"someone", "", false}, of_type("agent"), false},
           row{{"someone", "", false}, of_type("task_request_2"), false},
           row{{"someone", "", false}, of_type("task_response"), true},
           row{{"ada", "", false}, request("shell"), true},  // its own rule stands instead of that for everyone
           row{{"ada", "", false}, of_type("whatever"), true},
           row{{"g", "grace-sidecar", false}, request("add"), true},
           row{{"g", "grace-sidecar", false}, request("text-upper"), true},
           row{{"g", "grace-sidecar", false}, request("text-delete"), false},
           row{{"g", "grace-sidecar", false}, request("other"), false},
           row{{"g", "grace-sidecar", false}, request(""), false},
           row{{"g", "grace-sidecar", false}, of_type("agent_prompt"), false},
           row{{"g", "other", false}, of_type("agent_prompt"), true},
           row{{"hedy", "", true}, request("shell"), true},
           row{{"hedy", "", true}, of_type("agent_prompt"), false},
           row{{"hedy", "", false}, request("add"), false},
           row{{"mallory", "", true}, request("add"), false},
           row{{"mallory", "", true}, of_type("task_response"), true},
           row{{"mallory", "grace-sidecar", true}, request("add"), false},  // the id counts before the alias
       }) {
    CAPTURE(r.from.peer);
    CAPTURE(r.what.to_json().dump());
    CHECK(rules->refuses(r.from, r.what).has_value() != r.allowed);
  }
}

TEST_CASE("without rules everything is allowed") {
  CHECK_FALSE(peer_rules().refuses({"a", "", false}, request("shell")));
  CHECK_FALSE(peer_rules::parse("{}")->refuses({"a", "", false}, of_type("anything")));
}

TEST_CASE("a request that came through too many agents is refused") {
  const auto rules = peer_rules::parse(file);
  const mesh::sender ada{"ada", "", true};
  for (const auto n : {0, 1, 3}) CHECK_FALSE(rules->refuses(ada, request("x", n)));
  CHECK_FALSE(rules->refuses(ada, request("x")));
  for (const auto& bad : {base::json(4), base::json(-1), base::json("2"), base::json(1.5), base::json(true), base::json(9e18)})
    CHECK(rules->refuses(ada, request("x", bad)));
}

TEST_CASE("each meshd that sends a request on counts a hop, and the last one refuses") {
  const auto rules = peer_rules::parse(file);
  auto m = request("x", 0);
  for (int hop = 1; hop <= 3; ++hop) {
    CHECK(rules->count_hop(m));
    CHECK(m.payload.find("hops")->as_int() == hop);
  }
  CHECK_FALSE(rules->count_hop(m));
  auto plain = request("x");
  CHECK(rules->count_hop(plain));
  CHECK(plain.payload.find("hops") == nullptr);  // an upstream program would take it for an argument
  auto odd = request("x", "many");
  CHECK_FALSE(rules->count_hop(odd));
}

TEST_CASE("a slip in the rules is an error that says where it is") {
  for (const auto& [text, where] : {std::pair("", ""),
                                    {"[]", "object"},
                                    {R"({"every":{}})", "every"},
                                    {R"({"everyone":[]})", "everyone"},
                                    {R"({"everyone":{"type":[]}})", "everyone.type"},
                                    {R"({"everyone":{"types":"x"}})", "everyone.types"},
                                    {R"({"everyone":{"types":[1]}})", "everyone.types"},
                                    {R"({"everyone":{"types":[""]}})", "everyone.types"},
                                    {R"({"everyone":{"skills":["a*b"]}})", "everyone.skills"},
                                    {R"({"everyone":{"verified_only":"yes"}})", "verified_only"},
                                    {R"({"peers":[]})", "peers"},
                                    {R"({"peers":{"a b":{}}})", "peers.a b"},
                                    {R"({"peers":{"a":{"skill":[]}}})", "peers.a.skill"},
                                    {R"({"peers":{"a":{},"a":{}}})", "twice"},
                                    {R"({"most_hops":-1})", "most_hops"},
                                    {R"({"most_hops":"8"})", "most_hops"}}) {
    CAPTURE(text);
    const auto rules = peer_rules::parse(text);
    REQUIRE_FALSE(rules);
    CHECK(rules.error().find(where) != std::string::npos);
  }
}

TEST_CASE("a message is from who sent it, whatever it claims") {
  using mesh::verified_source;
  CHECK(verified_source("ada", "peer-1", "ada-sidecar") == "ada");
  CHECK(verified_source("ada-sidecar", "peer-1", "ada-sidecar") == "ada-sidecar");
  CHECK(verified_source("peer-1", "peer-1", "ada-sidecar") == "peer-1");
  CHECK(verified_source("grace", "peer-1", "ada-sidecar") == "ada");
  CHECK(verified_source("", "peer-1", "ada-sidecar") == "ada");
  CHECK(verified_source("grace", "peer-1", "") == "peer-1");
  CHECK(verified_source("", "peer-1", "odd") == "odd");
}
