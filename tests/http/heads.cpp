// Heads that must not be understood in any way, by the table, and those that must.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "http/head.hpp"

using namespace strata;
using http::errc;
using namespace std::string_literals;

namespace {

// What a server makes of the octets: where the head ends, then what is in it.
base::result<http::request_head> read(const std::string& text) {
  const auto end = http::find_head_end(base::as_bytes(text));
  if (!end) return base::fail(end.error());
  if (!*end) return base::fail(errc::truncated);
  return http::parse_request_head(base::as_bytes(text).first(**end));
}

struct hostile {
  const char* what;
  std::string head;
  errc expected;
  int status;
};

const std::string host = "Host: a.example\r\n";

const std::vector<hostile> hostile_heads = {
    // the first line
    // req: 9112-3-a
    {"nothing but an end", "\r\n\r\n", errc::bad_start_line, 400},
    {"one word", "GET\r\n" + host + "\r\n", errc::bad_start_line, 400},
    {"two words", "GET /\r\n" + host + "\r\n", errc::bad_start_line, 400},
    {"HTTP/0.9 with a version", "GET / HTTP/0.9\r\n" + host + "\r\n", errc::bad_version, 505},
    {"HTTP/2", "GET / HTTP/2.0\r\n" + host + "\r\n", errc::bad_version, 505},
    {"the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", errc::bad_target, 400},
    {"no digits after the point", "GET / HTTP/1.\r\n" + host + "\r\n", errc::bad_version, 505},
    {"two digits after the point", "GET / HTTP/1.10\r\n" + host + "\r\n", errc::bad_version, 505},
    {"version in lower case", "GET / http/1.1\r\n" + host + "\r\n", errc::bad_start_line, 400},
    {"another protocol", "GET / RTSP/1.0\r\n" + host + "\r\n", errc::bad_start_line, 400},
    {"words after the version", "GET / HTTP/1.1 x\r\n" + host + "\r\n", errc::bad_start_line, 400},
    {"two spaces after the method", "GET  / HTTP/1.1\r\n" + host + "\r\n", errc::bad_start_line, 400},
    {"two spaces before the version", "GET /  HTTP/1.1\r\n" + host + "\r\n", errc::bad_start_line, 400},
    {"a space at the end", "GET / HTTP/1.1 \r\n" + host + "\r\n", errc::bad_start_line, 400},
    {"a space in front", " GET / HTTP/1.1\r\n" + host + "\r\n", errc::bad_start_line, 400},
    {"tabs instead of spaces", "GET\t/\tHTTP/1.1\r\n" + host + "\r\n", errc::bad_start_line, 400},
    {"a method with a colon", "GE:T / HTTP/1.1\r\n" + host + "\r\n", errc::bad_start_line, 400},
    {"a method with a NUL", "GE\0T / HTTP/1.1\r\n"s + host + "\r\n", errc::bad_start_line, 400},
    {"a method of 33 letters", std::string(33, 'A') + " / HTTP/1.1\r\n" + host + "\r\n", errc::bad_start_line, 400},
    {"a TLS hello", "\x16\x03\x01\x02\x00\x01\x00\r\n\r\n"s, errc::bad_start_line, 400},
    // the target
    {"no slash", "GET path HTTP/1.1\r\n" + host + "\r\n", errc::bad_target, 400},
    {"a control character in the target", "GET /\x01 HTTP/1.1\r\n" + host + "\r\n", errc::bad_target, 400},
    {"DEL in the target", "GET /\x7f HTTP/1.1\r\n" + host + "\r\n", errc::bad_target, 400},
    {"raw UTF-8 in the target", "GET /\xc3\xa9 HTTP/1.1\r\n" + host + "\r\n", errc::bad_target, 400},
    {"a fragment", "GET /#top HTTP/1.1\r\n" + host + "\r\n", errc::bad_target, 400},
    {"half a percent code", "GET /%4 HTTP/1.1\r\n" + host + "\r\n", errc::bad_target, 400},
    {"a percent code that is none", "GET /%zz HTTP/1.1\r\n" + host + "\r\n", errc::bad_target, 400},
    {"an encoded NUL", "GET /a%00.txt HTTP/1.1\r\n" + host + "\r\n", errc::bad_target, 400},
    {"dot segments", "GET /a/../../etc/passwd HTTP/1.1\r\n" + host + "\r\n", errc::bad_target, 400},
    {"encoded dot segments", "GET /a/%2e%2e/%2E%2e/etc/passwd HTTP/1.1\r\n" + host + "\r\n", errc::bad_target, 400},
    {"dot segments behind encoded slashes", "GET /a%2f..%2fb HTTP/1.1\r\n" + host + "\r\n", errc::bad_target, 400},
    {"* with GET", "GET * HTTP/1.1\r\n" + host + "\r\n", errc::bad_target, 400},
    {"authority form", "CONNECT a.example:443 HTTP/1.1\r\n" + host + "\r\n", errc::bad_target, 400},
    {"another scheme", "GET ftp://a.example/ HTTP/1.1\r\n" + host + "\r\n", errc::bad_target, 400},
    {"a URL with a password", "GET http://u:p@a.example/ HTTP/1.1\r\n" + host + "\r\n", errc::bad_target, 400},
    {"a target of 9000 octets", "GET /" + std::string(9000, 'a') + " HTTP/1.1\r\n" + host + "\r\n", errc::target_too_long, 414},
    // line ends
    // req: 9112-2.2-d
    {"LF only", "GET / HTTP/1.1\nHost: a\n\n", errc::bad_line_end, 400},
    {"LF in the first line", "GET / HTTP/1.1\n" + host + "\r\n", errc::bad_line_end, 400},
    {"LF after a field", "GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n", errc::bad_line_end, 400},
    {"bare CR in a value", "GET / HTTP/1.1\r\n" + host + "X: a\rb\r\n\r\n", errc::bad_line_end, 400},
    {"bare CR in the first line", "GET /\r HTTP/1.1\r\n" + host + "\r\n", errc::bad_line_end, 400},
    {"CR CR LF", "GET / HTTP/1.1\r\r\n" + host + "\r\n", errc::bad_line_end, 400},
    // fields
    {"white space before the first field", "GET / HTTP/1.1\r\n " + host + "\r\n", errc::bad_field, 400},  // req: 9112-2.2-c
    {"a folded line", "GET / HTTP/1.1\r\n" + host + "X: a\r\n b\r\n\r\n", errc::bad_field, 400},          // req: 9112-5.2-a
    {"a line folded with a tab", "GET / HTTP/1.1\r\n" + host + "X: a\r\n\tb\r\n\r\n", errc::bad_field, 400},
    {"white space before the colon", "GET / HTTP/1.1\r\nHost : a\r\n\r\n", errc::bad_field, 400},  // req: 9112-5.1-a
    {"a tab before the colon", "GET / HTTP/1.1\r\n" + host + "Content-Length\t: 5\r\n\r\n", errc::bad_field, 400},
    {"no colon", "GET / HTTP/1.1\r\n" + host + "nonsense\r\n\r\n", errc::bad_field, 400},
    {"no name", "GET / HTTP/1.1\r\n" + host + ": x\r\n\r\n", errc::bad_field, 400},
    {"a name with a space", "GET / HTTP/1.1\r\n" + host + "X Y: z\r\n\r\n", errc::bad_field, 400},
    {"a name with an umlaut", "GET / HTTP/1.1\r\n" + host + "X\xc3\xbc: z\r\n\r\n", errc::bad_field, 400},
    {"a name in brackets", "GET / HTTP/1.1\r\n" + host + "(X): z\r\n\r\n", errc::bad_field, 400},
    {"NUL in a value", "GET / HTTP/1.1\r\n" + host + "X: a\0b\r\n\r\n"s, errc::bad_field, 400},
    {"a control character in a value", "GET / HTTP/1.1\r\n" + host + "X: a\x08z\r\n\r\n", errc::bad_field, 400},
    {"DEL in a value", "GET / HTTP/1.1\r\n" + host + "X: a\x7f\r\n\r\n", errc::bad_field, 400},
    // Host
    // req: 9112-3.2-a 6455-4.2.1-c
    {"no Host", "GET / HTTP/1.1\r\n\r\n", errc::bad_host, 400},
    {"two Hosts", "GET / HTTP/1.1\r\n" + host + host + "\r\n", errc::bad_host, 400},
    {"two different Hosts", "GET / HTTP/1.1\r\n" + host + "hOST: b\r\n\r\n", errc::bad_host, 400},
    {"an empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", errc::bad_host, 400},
    {"a Host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", errc::bad_host, 400},
    {"a list as Host", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", errc::bad_host, 400},
    {"a Host with a user", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", errc::bad_host, 400},
    {"a Host with a port that is none", "GET / HTTP/1.1\r\nHost: a:99999\r\n\r\n", errc::bad_host, 400},
    {"an address in open brackets", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", errc::bad_host, 400},
    {"two Hosts in HTTP/1.0", "GET / HTTP/1.0\r\n" + host + host + "\r\n", errc::bad_host, 400},
    // length
    // req: 9112-6.1-a 9112-6.3-a
    {"length and coding", "POST / HTTP/1.1\r\n" + host + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n",
     errc::bad_length, 400},
    {"coding and length", "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n",
     errc::bad_length, 400},
    {"two lengths", "POST / HTTP/1.1\r\n" + host + "Content-Length: 4\r\nContent-Length: 5\r\n\r\n", errc::bad_length, 400},
    {"two equal lengths", "POST / HTTP/1.1\r\n" + host + "Content-Length: 4\r\ncontent-length: 4\r\n\r\n", errc::bad_length,
     400},
    {"a list of lengths", "POST / HTTP/1.1\r\n" + host + "Content-Length: 4, 4\r\n\r\n", errc::bad_length, 400},
    {"a negative length", "POST / HTTP/1.1\r\n" + host + "Content-Length: -1\r\n\r\n", errc::bad_length, 400},
    {"a length with a sign", "POST / HTTP/1.1\r\n" + host + "Content-Length: +4\r\n\r\n", errc::bad_length, 400},
    {"a hexadecimal length", "POST / HTTP/1.1\r\n" + host + "Content-Length: 0x4\r\n\r\n", errc::bad_length, 400},
    {"a length with a fraction", "POST / HTTP/1.1\r\n" + host + "Content-Length: 4.0\r\n\r\n", errc::bad_length, 400},
    {"a length with a space inside", "POST / HTTP/1.1\r\n" + host + "Content-Length: 1 2\r\n\r\n", errc::bad_length, 400},
    {"an empty length", "POST / HTTP/1.1\r\n" + host + "Content-Length:\r\n\r\n", errc::bad_length, 400},
    {"a length of 2^64", "POST / HTTP/1.1\r\n" + host + "Content-Length: 18446744073709551616\r\n\r\n", errc::body_too_large,
     413},
    {"gzip", "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: gzip\r\n\r\n", errc::bad_transfer_coding, 501},
    {"gzip, chunked", "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: gzip, chunked\r\n\r\n", errc::bad_transfer_coding,
     501},
    {"chunked twice", "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
     errc::bad_transfer_coding, 501},
    {"chunked, chunked", "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked, chunked\r\n\r\n",
     errc::bad_transfer_coding, 501},
    {"identity", "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: identity\r\n\r\n", errc::bad_transfer_coding, 501},
    {"a coding like chunked", "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: xchunked\r\n\r\n", errc::bad_transfer_coding,
     501},
    {"an empty coding", "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding:\r\n\r\n", errc::bad_transfer_coding, 501},
    {"chunked with a vertical tab",
     "POST / HTTP/1.1\r\n" + host +
         "Transfer-Encoding: \x0b"
         "chunked\r\n\r\n",
     errc::bad_field, 400},
    {"a coding in HTTP/1.0", "POST / HTTP/1.0\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n", errc::bad_length, 400},
    // size
    {"a field of 20000 octets", "GET / HTTP/1.1\r\n" + host + "X: " + std::string(20000, 'a') + "\r\n\r\n",
     errc::head_too_large, 431},
    {"a head without an end", "GET / HTTP/1.1\r\n" + host + std::string(20000, 'a'), errc::head_too_large, 431},
};

}  // namespace

TEST_CASE("a head that two readers could understand in two ways is refused") {
  CHECK(hostile_heads.size() >= 60);
  for (const auto& h : hostile_heads) {
    CAPTURE(h.what);
    const auto head = read(h.head);
    REQUIRE_FALSE(head);
    CHECK(head.error() == h.expected);
    CHECK(http::status_of(head.error().code) == h.status);
  }
}

TEST_CASE("101 fields are too many, 100 are not") {
  const auto with = [](int n) {
    auto text = "GET / HTTP/1.1\r\n" + host;
    for (int i = 1; i < n; ++i) text += "X: y\r\n";
    return text + "\r\n";
  };
  CHECK(read(with(100)));
  CHECK(read(with(101)).error() == errc::head_too_large);
}

// req: 9112-3-b
TEST_CASE("a request line of 8000 octets is taken") {
  const auto head = read("GET /" + std::string(7986, 'a') + " HTTP/1.1\r\n" + host + "\r\n");
  REQUIRE(head);
  CHECK(head->target.size() == 7987);
}

TEST_CASE("every beginning of a good head asks for more, and is never an error") {
  const auto text = "POST /a?b HTTP/1.1\r\n" + host + "Content-Length: 3\r\n\r\n";
  for (std::size_t n = 0; n < text.size(); ++n) {
    const auto end = http::find_head_end(base::as_bytes(text).first(n));
    REQUIRE(end);
    CHECK_FALSE(*end);
  }
  const auto end = http::find_head_end(base::as_bytes(text + "rest"));
  REQUIRE(end);
  CHECK(**end == text.size());
}

TEST_CASE("a good head says what it says") {
  const auto head =
      read("POST /a%20b?x=1 HTTP/1.1\r\nhOsT: a.example:8080\r\ncontent-LENGTH: 12\r\nX:\t v 1 \t\r\nx: v2\r\n\r\n");
  REQUIRE(head);
  CHECK(head->method == "POST");
  CHECK(head->target == "/a%20b?x=1");
  CHECK(head->body == http::framing{http::framing::kind::length, 12});
  CHECK(head->headers.count("X") == 2);
  CHECK(head->headers.get("x") == "v 1");
  CHECK_FALSE(head->headers.single("x"));
  CHECK(head->keep_alive);
}

// req: 9112-2.2-a
TEST_CASE("octets above ASCII in a value are kept as they are") {
  const auto head = read("GET / HTTP/1.1\r\n" + host + "X: \xff\xfe\xc3\r\n\r\n");
  REQUIRE(head);
  CHECK(head->headers.get("X") == "\xff\xfe\xc3");
}

TEST_CASE("who keeps the connection and who does not") {
  const auto keeps = [](std::string_view version, std::string_view connection) {
    auto text = "GET / " + std::string(version) + "\r\n" + host;
    if (!connection.empty()) text += "Connection: " + std::string(connection) + "\r\n";
    return read(text + "\r\n")->keep_alive;
  };
  CHECK(keeps("HTTP/1.1", ""));
  CHECK_FALSE(keeps("HTTP/1.1", "close"));
  CHECK_FALSE(keeps("HTTP/1.1", "x, CLOSE"));
  CHECK(keeps("HTTP/1.1", "x-close"));
  CHECK_FALSE(keeps("HTTP/1.0", ""));
  CHECK(keeps("HTTP/1.0", "Keep-Alive"));
  CHECK(keeps("HTTP/1.7", ""));  // a later minor version is read as the highest we know
}

TEST_CASE("targets in each form") {
  http::request r;
  REQUIRE(http::read_target("/a%2Fb/%C3%A9?x=%20&y", "GET", r));
  CHECK(r.path == "/a/b/\xc3\xa9");
  CHECK(r.query_text == "x=%20&y");
  CHECK(r.query("x") == " ");
  CHECK(r.query("y") == "");
  CHECK_FALSE(r.query("z"));
  REQUIRE(http::read_target("http://a.example:80/p?q", "GET", r));
  CHECK(r.path == "/p");
  CHECK(r.query_text == "q");
  REQUIRE(http::read_target("http://a.example?q", "GET", r));
  CHECK(r.path == "/");
  REQUIRE(http::read_target("*", "OPTIONS", r));
  CHECK(r.path == "*");
  REQUIRE(http::read_target("/a..b/.c/..d", "GET", r));
  CHECK(r.path == "/a..b/.c/..d");
}

TEST_CASE("response heads, good and bad") {
  const auto read_response = [](const std::string& text) { return http::parse_response_head(base::as_bytes(text)); };
  auto head = read_response("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
  REQUIRE(head);
  CHECK(head->status == 200);
  CHECK(head->reason == "OK");
  CHECK(head->body == http::framing{http::framing::kind::length, 5});
  CHECK(head->keep_alive);
  head = read_response("HTTP/1.1 404\r\nTransfer-Encoding: Chunked\r\n\r\n");
  REQUIRE(head);
  CHECK(head->body.how == http::framing::kind::chunked);
  head = read_response("HTTP/1.0 200 \r\n\r\n");
  REQUIRE(head);
  CHECK(head->body.how == http::framing::kind::until_close);
  CHECK_FALSE(head->keep_alive);
  CHECK(read_response("HTTP/1.1 204 No Content\r\n\r\n")->body.how == http::framing::kind::none);
  CHECK(read_response("HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n")->body.how == http::framing::kind::none);

  for (const auto* bad :
       {"HTTP/1.1 20 OK\r\n\r\n", "HTTP/1.1 2000 OK\r\n\r\n", "HTTP/1.1  200 OK\r\n\r\n", "HTTP/1.1 abc OK\r\n\r\n",
        "HTTP/1.1 099 X\r\n\r\n", "HTTP/1.1\r\n\r\n", "ICY 200 OK\r\n\r\n", "HTTP/2.0 200 OK\r\n\r\n",
        "HTTP/1.1 200 \x01\r\n\r\n", "HTTP/1.1 200 OK\r\nX\r\n\r\n", "HTTP/1.1 200 OK\r\n", "",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: br\r\n\r\n", "HTTP/1.1 200 OK\n\n", "HTTP/1.1 200 OK\r\n\r\nrest"}) {
    CAPTURE(bad);
    CHECK_FALSE(read_response(bad));
  }
}

TEST_CASE("what is written is read back the same") {
  const http::fields f{{"Host", "a.example"}, {"X-Empty", ""}, {"X", "a b\tc"}};
  const auto request = read(http::format_request_head("DELETE", "/x?y", f));
  REQUIRE(request);
  CHECK(request->method == "DELETE");
  CHECK(request->target == "/x?y");
  CHECK(request->headers == f);
  const auto text = http::format_response_head(404, f);
  CHECK(text.starts_with("HTTP/1.1 404 Not Found\r\n"));
  const auto response = http::parse_response_head(base::as_bytes(text));
  REQUIRE(response);
  CHECK(response->headers == f);
}

TEST_CASE("fields that would be more than fields are known") {
  CHECK(http::fields{{"X", "a"}}.valid());
  CHECK_FALSE(http::fields{{"X", "a\r\nY: b"}}.valid());
  CHECK_FALSE(http::fields{{"X", std::string("a\0", 2)}}.valid());
  CHECK_FALSE(http::fields{{"X: a\r\nY", "b"}}.valid());
  CHECK_FALSE(http::fields{{"", "b"}}.valid());
}
