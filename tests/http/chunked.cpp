#include "http/chunked.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace strata;

namespace {
struct outcome {
  bool good = false, done = false;
  std::string content;
  std::size_t taken = 0;
  http::errc error{};
};

// In pieces of that size.
outcome decode(const std::string& text, std::size_t piece, std::size_t max = 1000) {
  http::chunked_decoder d(max);
  outcome o;
  for (std::size_t at = 0; at < text.size() && !d.done(); at += piece) {
    const auto n = d.decode(base::as_bytes(text.substr(at, piece)), o.content);
    if (!n) {
      o.error = static_cast<http::errc>(n.error().code.value());
      return o;
    }
    o.taken += *n;
  }
  o.good = true;
  o.done = d.done();
  return o;
}
}  // namespace

// req: 9112-7.1-a
TEST_CASE("chunked bodies are the same in whatever pieces they come") {
  const std::vector<std::pair<std::string, std::string>> bodies = {
      {"0\r\n\r\n", ""},
      {"5\r\nhello\r\n0\r\n\r\n", "hello"},
      {"00005\r\nhello\r\n000\r\n\r\n", "hello"},
      {"5;a=b\r\nhello\r\n1 ; c=\"d\"\r\n!\r\n0;x\r\n\r\n", "hello!"},
      {"A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n", "01234567890123456789"},
      {"2\r\n\r\n\r\n0\r\n\r\n", "\r\n"},
      {"1\r\nx\r\n0\r\nTrailer: y\r\nOther: z\r\n\r\n", "x"},
  };
  for (const auto& [text, content] : bodies) {
    CAPTURE(text);
    const auto whole = decode(text + "next", text.size() + 4);
    CHECK(whole.good);
    CHECK(whole.done);
    CHECK(whole.content == content);
    CHECK(whole.taken == text.size());  // what follows is not ours
    for (std::size_t piece = 1; piece < text.size(); ++piece) {
      const auto o = decode(text, piece);
      CHECK(o.done);
      CHECK(o.content == content);
    }
    for (std::size_t cut = 0; cut < text.size(); ++cut) CHECK_FALSE(decode(text.substr(0, cut), 3).done);
  }
}

TEST_CASE("chunked bodies that are none") {
  const std::vector<std::pair<std::string, http::errc>> bodies = {
      {"\r\n", http::errc::bad_chunk},
      {"x\r\n", http::errc::bad_chunk},
      {" 5\r\nhello\r\n0\r\n\r\n", http::errc::bad_chunk},
      {"-1\r\n", http::errc::bad_chunk},
      {"+5\r\nhello\r\n", http::errc::bad_chunk},
      {"0x5\r\nhello\r\n", http::errc::bad_chunk},
      {"5\nhello\n0\n\n", http::errc::bad_chunk},
      {"5\r\rhello", http::errc::bad_chunk},
      {"5\r\nhello0\r\n\r\n", http::errc::bad_chunk},
      {"5\r\nhello\n0\r\n\r\n", http::errc::bad_chunk},
      {"5\r\nhello\r\r", http::errc::bad_chunk},
      {"5;\x01\r\nhello\r\n", http::errc::bad_chunk},
      {"5;a=\nb\r\nhello\r\n", http::errc::bad_chunk},
      {"5;" + std::string(2000, 'a') + "\r\n", http::errc::bad_chunk},
      {std::string(16, '0') + "5\r\n", http::errc::bad_chunk},
      {"10000000000000000\r\n", http::errc::bad_chunk},  // 2^64
      {"FFFFFFFFFFFFFFFF\r\n", http::errc::bad_chunk},
      {"FFFFFFFFFFFFFFF\r\n", http::errc::body_too_large},
      {"3e9\r\n", http::errc::body_too_large},
      {"1\r\nx\r\n3e8\r\n", http::errc::body_too_large},
      {"0\r\n folded\r\n\r\n", http::errc::bad_chunk},
      {"0\r\nT: y\n\r\n", http::errc::bad_chunk},
      {"0\r\nT: " + std::string(20000, 'y') + "\r\n\r\n", http::errc::bad_chunk},
      {"0\r\n\rx", http::errc::bad_chunk},
  };
  for (const auto& [text, expected] : bodies) {
    CAPTURE(text);
    for (std::size_t piece : {std::size_t{1}, std::size_t{7}, text.size()}) {
      const auto o = decode(text, piece);
      CHECK_FALSE(o.good);
      CHECK(o.error == expected);
    }
  }
}

TEST_CASE("a body of nothing but tiny chunks ends some time") {
  std::string text;
  for (int i = 0; i < 20000; ++i) text += "1\r\nx\r\n";
  const auto o = decode(text, 4096, 1 << 20);
  CHECK(o.error == http::errc::bad_chunk);
}
