#include "http/url.hpp"

#include <doctest/doctest.h>

#include "http/date.hpp"

using namespace strata;

TEST_CASE("URLs are taken apart and put together again") {
  const auto u = http::url::parse("WSS://Hub.Example:8443/ws/a%20b?room=1#top");
  REQUIRE(u);
  CHECK(u->scheme == "wss");
  CHECK(u->host == "hub.example");
  CHECK(u->port == 8443);
  CHECK(u->path == "/ws/a%20b");
  CHECK(u->query == "room=1");
  CHECK(u->secure());
  CHECK(u->target() == "/ws/a%20b?room=1");
  CHECK(u->to_string() == "wss://hub.example:8443/ws/a%20b?room=1");
  CHECK(http::url::parse("http://a")->to_string() == "http://a/");
  CHECK(http::url::parse("http://a?x")->target() == "/?x");
  CHECK(http::url::parse("https://a:443/")->authority() == "a");
  CHECK(http::url::parse("http://a:/")->port == 80);
  const auto six = http::url::parse("http://[2001:DB8::1]:81/");
  REQUIRE(six);
  CHECK(six->host == "2001:db8::1");
  CHECK(six->authority() == "[2001:db8::1]:81");
}

TEST_CASE("what is no URL, or none of ours, is refused") {
  for (const auto* text : {"",
                           "a",
                           "http:/a",
                           "http://",
                           "http:///x",
                           "ftp://a",
                           "ws//a",
                           "://a",
                           "http://a b/",
                           "http://a/b c",
                           "http://a:x/",
                           "http://a:65536/",
                           "http://a:0/",
                           "http://[::1",
                           "http://[1.2.3.4]/",
                           "http://[]/",
                           "http://u@a/",
                           "http://u:p@a/",
                           "http://a/\x01",
                           "http://a/\xc3\xa9",
                           "http://\xc3\xa9/",
                           "http://a%20b/",
                           "http://::1/",
                           "http://a/?\x7f"}) {
    CAPTURE(text);
    const auto u = http::url::parse(text);
    REQUIRE_FALSE(u);
    CHECK(u.error() == http::errc::bad_url);
  }
}

TEST_CASE("a parameter is appended to whatever query there is, encoded") {
  const auto with = [](std::string_view text) {
    return http::url::parse(text)->add_parameter("token", "a.b-c/d+e=&\xc3\xa9").to_string();
  };
  const std::string value = "token=a.b-c%2Fd%2Be%3D%26%C3%A9";
  CHECK(with("ws://h/ws") == "ws://h/ws?" + value);
  CHECK(with("ws://h") == "ws://h/?" + value);
  CHECK(with("ws://h/ws?room=1") == "ws://h/ws?room=1&" + value);
  CHECK(with("ws://h/ws?room=1&") == "ws://h/ws?room=1&" + value);
  CHECK(with("ws://h/ws?#top") == "ws://h/ws?" + value);
  CHECK(http::find_parameter(http::url::parse(with("ws://h/?x=1"))->query, "token") == "a.b-c/d+e=&\xc3\xa9");
}

TEST_CASE("queries are decoded piece by piece") {
  CHECK(http::parse_query("a=1&b=x+y&c&=&&d=%26&e=%zz&%41=2") ==
        http::parameters{{"a", "1"}, {"b", "x y"}, {"c", ""}, {"d", "&"}, {"A", "2"}});
  CHECK(http::find_parameter("a=1&a=2", "a") == "1");
  CHECK(http::percent_decode("%e2%82%ac") == "\xe2\x82\xac");
  CHECK_FALSE(http::percent_decode("%e"));
  CHECK_FALSE(http::percent_decode("%"));
}

TEST_CASE("dates as HTTP writes them") {
  using namespace std::chrono;
  CHECK(http::format_date(sys_days(1994y / 11 / 6) + 8h + 49min + 37s) == "Sun, 06 Nov 1994 08:49:37 GMT");
  CHECK(http::format_date(sys_days(2024y / 2 / 29) + 23h + 59min + 59s + 999ms) == "Thu, 29 Feb 2024 23:59:59 GMT");
  CHECK(http::format_date(base::wall_time()) == "Thu, 01 Jan 1970 00:00:00 GMT");
}
