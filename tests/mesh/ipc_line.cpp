#include "mesh/ipc_line.hpp"

#include <doctest/doctest.h>

using namespace strata;
using namespace strata::mesh;

TEST_CASE("the commands of the contract are understood") {
  const auto send = parse_command(
      R"({"type":"send","payload":{"target_peer":"bob","message":{"type":"agent_prompt","payload":{"message":"hi"}}}})");
  REQUIRE(send);
  CHECK(send->what == command::kind::send);
  CHECK(send->target_peer == "bob");
  CHECK(send->message.type == "agent_prompt");
  CHECK(parse_command(R"({"type":"list_peers"})")->what == command::kind::list_peers);
  CHECK(parse_command(R"({"type":"list_peers","payload":{}})")->what == command::kind::list_peers);
  CHECK(parse_command(R"({"type":"connect","payload":{"target_peer_id":"bob"}})")->target_peer == "bob");
}

TEST_CASE("lines that are no command say what is wrong") {
  const std::pair<const char*, std::error_code> table[] = {
      {"", base::json_errc::syntax},
      {"hello", base::json_errc::syntax},
      {"[]", errc::not_an_object},
      {"{}", errc::no_type},
      {R"({"type":7})", errc::no_type},
      {R"({"type":"dance"})", errc::unknown_command},
      {R"({"type":"send"})", errc::no_target},
      {R"({"type":"send","payload":[]})", errc::bad_field},
      {R"({"type":"send","payload":{"target_peer":""}})", errc::no_target},
      {R"({"type":"send","payload":{"target_peer":"a b"}})", errc::no_target},
      {R"({"type":"send","payload":{"target_peer":7,"message":{"type":"x"}}})", errc::no_target},
      {R"({"type":"send","payload":{"target_peer":"bob"}})", errc::not_an_object},
      {R"({"type":"send","payload":{"target_peer":"bob","message":"x"}})", errc::not_an_object},
      {R"({"type":"send","payload":{"target_peer":"bob","message":{}}})", errc::no_type},
      {R"({"type":"broadcast","payload":{}})", errc::not_an_object},
      {R"({"type":"connect","payload":{}})", errc::no_target},
  };
  for (const auto& [line, code] : table) {
    CAPTURE(line);
    const auto c = parse_command(line);
    REQUIRE_FALSE(c);
    CHECK(c.error().code == code);
  }
}

TEST_CASE("no event line is longer than the upstream reader survives") {
  message m;
  m.type = "task_request";
  const auto overhead = message_event("bob", m)->size() + std::string_view("\"x\":\"\"").size();
  m.payload = base::json::make({{"x", std::string(longest_line - overhead, 'a')}});
  REQUIRE(message_event("bob", m));
  CHECK(message_event("bob", m)->size() == longest_line);
  m.payload = base::json::make({{"x", std::string(longest_line - overhead + 1, 'a')}});
  CHECK_FALSE(message_event("bob", m));
  const std::vector<std::string> many(2000, std::string(100, 'p'));
  std::size_t listed = 0;
  for (const auto& line : peer_list_event(many)) {
    CHECK(line.size() <= longest_line);
    ++listed;
  }
  CHECK(listed > 1);
}

TEST_CASE("events are raw UTF-8 so that they do not grow") {
  message m;
  m.type = "agent_prompt";
  m.payload = base::json::make({{"message", "\xc3\xa4"}});
  CHECK(message_event("bob", m)->find("\xc3\xa4") != std::string::npos);
}

TEST_CASE("lines are cut however the bytes arrive") {
  for (std::size_t step : {1u, 2u, 7u, 100u}) {
    line_splitter s(16);
    const std::string text = "one\n\n  \ntwo\r\n" + std::string(40, 'x') + "\nthree\nfour";
    std::vector<std::string> lines;
    int too_long = 0;
    for (std::size_t at = 0; at < text.size(); at += step) {
      s.feed(base::as_bytes(std::string_view(text).substr(at, step)));
      while (auto line = s.next()) {
        if (*line) lines.push_back(**line);
        else ++too_long;
      }
    }
    CHECK(lines == std::vector<std::string>{"one", "two", "three"});
    CHECK(too_long == 1);
  }
}
