#include "signaling/relay.hpp"

#include <doctest/doctest.h>

using namespace strata;
using namespace strata::signaling;

namespace {

constexpr connection_id a{1}, b{2}, c{3};

std::string envelope(std::string_view type, std::string_view from, std::string_view to = {},
                     std::string_view payload = "null") {
  std::string text = "{\"type\":\"" + std::string(type) + "\",\"peer_id\":\"" + std::string(from) + "\"";
  if (!to.empty()) text += ",\"target_id\":\"" + std::string(to) + "\"";
  return text + ",\"payload\":" + std::string(payload) + "}";
}

constexpr std::string_view events = R"({"caps":["events"]})";

relay open_relay() {
  return relay([](std::string_view) { return true; });
}

}  // namespace

TEST_CASE("of two peers exactly one sees the other in its list") {
  auto r = open_relay();
  r.connected(a, "alice");
  r.connected(b, "bob");
  const auto first = r.received(a, envelope("register", "alice"));
  const auto second = r.received(b, envelope("register", "bob"));
  REQUIRE(first.deliveries.size() == 1);
  CHECK(first.deliveries[0].text == R"({"type":"peer_list","peer_id":"registry","payload":{"peers":[]}})");
  REQUIRE(second.deliveries.size() == 1);
  CHECK(second.deliveries[0].to == b);
  CHECK(second.deliveries[0].text == R"({"type":"peer_list","peer_id":"registry","payload":{"peers":["alice"]}})");
}

TEST_CASE("a message in another peer's name goes nowhere") {
  auto r = open_relay();
  r.connected(a, "alice");
  r.connected(b, "bob");
  r.received(a, envelope("register", "alice"));
  r.received(b, envelope("register", "bob"));
  const auto out = r.received(a, envelope("offer", "bob", "bob", R"({"sdp":"x"})"));
  CHECK(out.deliveries.empty());
  CHECK(out.dropped == "peer_id is not the authenticated one");
  CHECK(r.counters().dropped_forged_sender == 1);
}

TEST_CASE("each client is answered in the names it uses") {
  auto r = open_relay();
  r.connected(a, "alice");
  r.connected(b, "bob");
  r.received(a, envelope("register", "alice"));
  r.received(b, envelope("register", "bob"));
  const auto offer = r.received(b, envelope("sdp_offer", "bob", "alice", R"({"sdp":"x"})"));
  CHECK(offer.deliveries.at(0).text == envelope("offer", "bob", "alice", R"({"sdp":"x"})"));
  const auto answer = r.received(a, envelope("answer", "alice", "bob", R"({"sdp":"y"})"));
  CHECK(answer.deliveries.at(0).text == envelope("sdp_answer", "alice", "bob", R"({"sdp":"y"})"));
}

TEST_CASE("the late end of a replaced socket does not remove its successor") {
  auto r = open_relay();
  r.connected(a, "alice");
  r.received(a, envelope("register", "alice"));
  const auto again = r.connected(b, "alice");
  CHECK(again.close_replaced == std::vector{a});
  r.received(b, envelope("register", "alice"));
  CHECK(r.received(a, envelope("register", "alice")).dropped == "the connection was replaced");
  r.disconnected(a);
  CHECK(r.registered_peers() == std::vector<std::string>{"alice"});
  r.connected(c, "bob");
  r.received(c, envelope("register", "bob"));
  CHECK(r.received(c, envelope("offer", "bob", "alice", "{}")).deliveries.at(0).to == b);
}

TEST_CASE("only those who asked for events hear of joins, leaves and undeliverable offers") {
  auto r = open_relay();
  r.connected(a, "alice");
  r.connected(b, "bob");
  r.received(a, envelope("register", "alice", {}, events));
  r.received(b, envelope("register", "bob"));
  r.connected(c, "carol");
  const auto joined = r.received(c, envelope("register", "carol"));
  REQUIRE(joined.deliveries.size() == 2);  // carol's list, alice's event
  CHECK(joined.deliveries[1].to == a);
  CHECK(joined.deliveries[1].text == R"({"type":"peer_joined","peer_id":"registry","payload":{"peer":"carol"}})");
  const auto left = r.disconnected(c);
  REQUIRE(left.deliveries.size() == 1);
  CHECK(left.deliveries[0].to == a);
  CHECK(r.received(b, envelope("offer", "bob", "nobody")).deliveries.empty());
  const auto refused = r.received(a, envelope("offer", "alice", "nobody"));
  REQUIRE(refused.deliveries.size() == 1);
  CHECK(refused.deliveries[0].text.find("not connected") != std::string::npos);
}

TEST_CASE("peers that are not authorised are neither listed nor reached") {
  relay r([](std::string_view p) { return p != "mallory"; });
  r.connected(a, "alice");
  r.connected(b, "mallory");
  r.received(a, envelope("register", "alice"));
  CHECK(r.received(b, envelope("register", "mallory")).deliveries.at(0).text.find("\"peers\":[]") != std::string::npos);
  CHECK(r.received(b, envelope("offer", "mallory", "alice")).deliveries.empty());
  CHECK(r.received(a, envelope("offer", "alice", "mallory")).deliveries.empty());
}

TEST_CASE("an alias belongs to the first who claims it and travels as the registry's word") {
  auto r = open_relay();
  relay strict([](std::string_view p) { return p == "alice" || p == "bob"; });
  for (auto* x : {&strict}) {
    x->connected(a, "alice");
    x->connected(b, "bob");
    x->received(a, envelope("register", "alice", {}, R"({"caps":["events"],"alias":"planner-sidecar"})"));
    x->received(b, envelope("register", "bob", {}, R"({"caps":["events"],"alias":"planner-sidecar"})"));
    CHECK(x->alias_of("alice") == "planner-sidecar");
    CHECK(x->alias_of("bob").empty());
    const auto out = x->received(b, envelope("offer", "bob", "alice", R"({"sdp":"x","alias":"planner-sidecar"})"));
    CHECK(out.deliveries.at(0).text.find(R"("alias":"")") != std::string::npos);
  }
  r.connected(a, "alice");
  r.connected(b, "bob");
  r.received(b, envelope("register", "bob", {}, R"({"alias":"alice"})"));
  CHECK(r.alias_of("bob").empty());
}

TEST_CASE("malformed frames are counted and change nothing") {
  auto r = open_relay();
  r.connected(a, "alice");
  for (const char* bad : {"", "{", "[]", "{}", "\xff", R"({"type":5,"peer_id":"alice"})"})
    CHECK_FALSE(r.received(a, bad).dropped.empty());
  CHECK(r.counters().dropped_malformed == 6);
  CHECK(r.received(a, envelope("offer", "alice", "bob")).dropped == "not registered");
  CHECK(r.received(a, envelope("register", "alice")).deliveries.size() == 1);
}

TEST_CASE("tasks are pushed to who registered for them, and who finishes one says which") {
  auto r = open_relay();
  r.connected(a, "alice");
  CHECK_FALSE(r.takes_tasks(a));
  r.received(a, envelope("register", "alice", "", R"({"caps":["events","tasks"]})"));
  CHECK(r.takes_tasks(a));
  r.connected(b, "bob");
  r.received(b, envelope("register", "bob", "", events));
  CHECK_FALSE(r.takes_tasks(b));
  const auto done = r.received(a, envelope("task_done", "alice", "", R"({"task_id":"1234"})"));
  CHECK(done.finished_task == "1234");
  CHECK(done.deliveries.empty());
  CHECK(r.received(a, envelope("task_done", "bob", "", R"({"task_id":"1234"})")).finished_task.empty());
  CHECK(r.received(a, envelope("task_done", "alice", "", R"({"task_id":5})")).finished_task.empty());
  r.disconnected(a);
  CHECK_FALSE(r.takes_tasks(a));
}
