#include "config_text.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace strata::apps {
namespace {

bool is_bare(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

bool is_number(std::string_view word) {
  const auto digits = word.substr(word.starts_with('-') || word.starts_with('+') ? 1 : 0);
  return !digits.empty() && digits.find_first_not_of("0123456789._") == std::string_view::npos && digits.front() != '.' &&
         digits.front() != '_' && std::count(digits.begin(), digits.end(), '.') <= 1;
}

// Throws the text of what is wrong; read_config catches it.
class reader {
 public:
  explicit reader(std::string_view text) : rest_(text) {}

  std::vector<config_entry> all() {
    std::vector<config_entry> entries;
    for (;;) {
      skip(true);
      if (rest_.empty()) return entries;
      auto e = entry();
      for (const auto& other : entries)
        if (other.key == e.key) fail(fmt::format("'{}' was set in line {} already", e.key, other.line));
      entries.push_back(std::move(e));
      skip(false);
      if (!rest_.empty() && rest_.front() != '\n') fail("one setting a line: '" + word() + "' is too much");
    }
  }

 private:
  [[noreturn]] void fail(const std::string& why) const { throw fmt::format("line {}: {}", line_, why); }

  char next() {
    if (rest_.empty()) fail("the file ends in the middle of a value");
    const char c = rest_.front();
    rest_.remove_prefix(1);
    if (c == '\n') ++line_;
    return c;
  }

  // White space and comments; the ends of lines too when they mean nothing.
  void skip(bool lines) {
    while (!rest_.empty()) {
      const char c = rest_.front();
      if (c == '#') rest_.remove_prefix(std::min(rest_.find('\n'), rest_.size()));
      else if (c == ' ' || c == '\t' || c == '\r' || (lines && c == '\n')) next();
      else return;
    }
  }

  std::string word() {
    const auto end = std::min(rest_.find_first_of(" \t\r\n,]#="), rest_.size());
    std::string w(rest_.substr(0, end));
    rest_.remove_prefix(end);
    return w;
  }

  config_entry entry() {
    config_entry e;
    e.line = line_;
    if (rest_.front() == '[') fail("there are no sections in this file");
    e.key = word();
    if (e.key.empty() || !std::all_of(e.key.begin(), e.key.end(), is_bare))
      fail("a key is made of letters, digits, '-' and '_'");
    skip(false);
    if (rest_.empty() || rest_.front() != '=') fail("'" + e.key + "' has no value: key = value");
    next();
    skip(false);
    if (rest_.empty() || rest_.front() != '[') {
      e.values.push_back(value());
      return e;
    }
    next();
    for (skip(true); rest_.empty() || rest_.front() != ']'; skip(true)) {
      e.values.push_back(value());
      skip(true);
      if (!rest_.empty() && rest_.front() == ']') break;
      if (next() != ',') fail("a comma is missing between the values of '" + e.key + "'");
    }
    next();
    return e;
  }

  std::string value() {
    if (!rest_.empty() && (rest_.front() == '"' || rest_.front() == '\'')) return string(next());
    auto w = word();
    if (w == "true" || w == "false" || is_number(w)) return w;
    fail(w.empty() ? std::string("a value is missing") : "a text stands in quotes: \"" + w + "\"");
  }

  std::string string(char quote) {
    for (std::string out;;) {
      const char c = next();
      if (c == quote) return out;
      if (c == '\n') fail("the quotes are not closed in their line");
      out += c == '\\' && quote == '"' ? escaped(next()) : c;
    }
  }

  char escaped(char c) const {
    switch (c) {
      case '"':
      case '\\': return c;
      case 'n': return '\n';
      case 't': return '\t';
      case 'r': return '\r';
      default: fail(fmt::format("'\\{}' means nothing in a string", c));
    }
  }

  std::string_view rest_;
  std::size_t line_ = 1;
};

}  // namespace

tl::expected<std::vector<config_entry>, std::string> read_config(std::string_view text) {
  try {
    return reader(text).all();
  } catch (std::string& why) {
    return tl::unexpected(std::move(why));
  }
}

std::string config_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '\n') out += "\\n";
    else if (c == '\t') out += "\\t";
    else if (c == '\r') out += "\\r";
    else if (c == '"' || c == '\\') (out += '\\') += c;
    else out += c;
  }
  return out + '"';
}

}  // namespace strata::apps
