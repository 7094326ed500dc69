#include "registry/cors.hpp"

#include <doctest/doctest.h>

using namespace strata;
using registry::cors;

namespace {

http::request asking(const std::string& origin, const std::string& method = "OPTIONS") {
  http::request r;
  r.method = method;
  r.path = "/api/token";
  r.headers.set("Origin", origin);
  if (method == "OPTIONS") r.headers.set("Access-Control-Request-Method", "POST");
  return r;
}

}  // namespace

TEST_CASE("without a list nothing is said of origins") {
  const cors none;
  CHECK(!none.preflight(asking("https://hub.example.org")));
  http::response answer;
  none.mark(asking("https://hub.example.org", "GET"), answer);
  CHECK(answer.headers.size() == 0);
}

TEST_CASE("a listed origin is let in, and only it") {
  const cors list({"https://hub.example.org"});
  const auto yes = list.preflight(asking("https://hub.example.org"));
  REQUIRE(yes);
  CHECK(yes->status == 204);
  CHECK(yes->headers.get("Access-Control-Allow-Origin") == "https://hub.example.org");
  CHECK(!yes->headers.contains("Access-Control-Allow-Credentials"));
  for (const auto* origin : {"https://hub.example.org.evil.example", "https://evil.example", "http://hub.example.org",
                             "https://hub.example.org:444", "null", "", "HTTPS://HUB.EXAMPLE.ORG", "*"}) {
    CAPTURE(origin);
    const auto no = list.preflight(asking(origin));
    REQUIRE(no);
    CHECK(no->status == 403);
    CHECK(!no->headers.contains("Access-Control-Allow-Origin"));
    http::response answer;
    list.mark(asking(origin, "GET"), answer);
    CHECK(!answer.headers.contains("Access-Control-Allow-Origin"));
    CHECK(answer.headers.get("Vary") == "Origin");
  }
}

TEST_CASE("two Origin fields are as good as none") {
  const cors list({"https://hub.example.org"});
  auto r = asking("https://hub.example.org", "GET");
  r.headers.add("Origin", "https://evil.example");
  http::response answer;
  list.mark(r, answer);
  CHECK(!answer.headers.contains("Access-Control-Allow-Origin"));
}

TEST_CASE("a star lets every page in") {
  const cors all({"*"});
  http::response answer;
  all.mark(asking("https://anybody.example", "GET"), answer);
  CHECK(answer.headers.get("Access-Control-Allow-Origin") == "https://anybody.example");
}

TEST_CASE("OPTIONS that is no preflight is an ordinary request") {
  const cors list({"https://hub.example.org"});
  auto r = asking("https://hub.example.org");
  r.headers.remove("Access-Control-Request-Method");
  CHECK(!list.preflight(r));
}

TEST_CASE("what is no origin is refused as one") {
  for (const auto* good : {"https://a.example", "http://a.example:8080", "https://[2001:db8::1]:8443", "http://127.0.0.1", "*"})
    CHECK_MESSAGE(cors::check(good).empty(), good);
  for (const auto* bad : {"", "a.example", "https://", "https://a.example/", "https://a.example/x", "https://a.example?x",
                          "https://A.example", "ftp://a.example", "https://u@a.example", "null", "**", "https://*.example"})
    CHECK_MESSAGE(!cors::check(bad).empty(), bad);
}
