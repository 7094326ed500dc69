#include "portmap/xml.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>

namespace strata::portmap::xml {
namespace {

constexpr std::size_t deepest = 32, most_elements = 4096;

constexpr bool is_space(char c) noexcept { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
constexpr bool is_name(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.' ||
         c == ':' || static_cast<unsigned char>(c) >= 0x80;
}

std::string_view trim(std::string_view text) noexcept {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

std::string_view without_prefix(std::string_view name) noexcept {
  const auto colon = name.rfind(':');
  return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

void append_utf8(std::string& out, std::uint32_t c) {
  if (c < 0x80) out += static_cast<char>(c);
  else if (c < 0x800) out += {static_cast<char>(0xc0 | c >> 6), static_cast<char>(0x80 | (c & 0x3f))};
  else if (c < 0x10000)
    out += {static_cast<char>(0xe0 | c >> 12), static_cast<char>(0x80 | (c >> 6 & 0x3f)), static_cast<char>(0x80 | (c & 0x3f))};
  else
    out += {static_cast<char>(0xf0 | c >> 18), static_cast<char>(0x80 | (c >> 12 & 0x3f)),
            static_cast<char>(0x80 | (c >> 6 & 0x3f)), static_cast<char>(0x80 | (c & 0x3f))};
}

std::optional<std::uint32_t> character_of(std::string_view entity) noexcept {
  if (entity == "amp") return '&';
  if (entity == "lt") return '<';
  if (entity == "gt") return '>';
  if (entity == "quot") return '"';
  if (entity == "apos") return '\'';
  if (!entity.starts_with('#')) return std::nullopt;
  entity.remove_prefix(1);
  const bool hex = entity.starts_with('x');
  if (hex) entity.remove_prefix(1);
  std::uint32_t value = 0;
  const auto [end, wrong] = std::from_chars(entity.data(), entity.data() + entity.size(), value, hex ? 16 : 10);
  if (wrong != std::errc() || end != entity.data() + entity.size()) return std::nullopt;
  const bool surrogate = value >= 0xd800 && value < 0xe000;
  const bool control = value < 0x20 && value != '\t' && value != '\n' && value != '\r';
  if (surrogate || control || value > 0x10ffff) return std::nullopt;
  return value;
}

class reader {
 public:
  explicit reader(std::string_view text) noexcept : text_(text) {}

  base::result<element> document() {
    if (text_.starts_with("\xef\xbb\xbf")) at_ = 3;
    if (auto ok = skip_misc(); !ok) return base::fail(ok.error());
    auto root = read_element(0);
    if (!root) return root;
    if (auto ok = skip_misc(); !ok) return base::fail(ok.error());
    if (at_ != text_.size()) return wrong("the end of the document");
    return root;
  }

 private:
  [[nodiscard]] tl::unexpected<base::error> wrong(std::string_view expected) const {
    return base::fail(errc::malformed, at_, expected);
  }
  [[nodiscard]] bool looking_at(std::string_view what) const noexcept { return text_.substr(at_).starts_with(what); }
  bool take(std::string_view what) noexcept {
    if (!looking_at(what)) return false;
    at_ += what.size();
    return true;
  }
  void skip_space() noexcept {
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
  }
  bool skip_past(std::string_view end) noexcept {
    const auto found = text_.find(end, at_);
    if (found == std::string_view::npos) return false;
    at_ = found + end.size();
    return true;
  }
  // Comments and processing instructions. True: there was one.
  base::result<bool> skip_one() {
    if (looking_at("<!--")) {
      if (!skip_past("-->")) return wrong("the end of a comment");
      return true;
    }
    if (looking_at("<?")) {
      if (!skip_past("?>")) return wrong("?>");
      return true;
    }
    if (looking_at("<!DOCTYPE")) return wrong("no document type");
    return false;
  }
  base::result<void> skip_misc() {
    for (;;) {
      skip_space();
      const auto skipped = skip_one();
      if (!skipped) return base::fail(skipped.error());
      if (!*skipped) return {};
    }
  }
  std::string_view read_name() noexcept {
    const auto begin = at_;
    while (at_ < text_.size() && is_name(text_[at_])) ++at_;
    return text_.substr(begin, at_ - begin);
  }
  base::result<void> skip_attributes() {
    for (;;) {
      const auto before = at_;
      skip_space();
      if (looking_at(">") || looking_at("/>")) return {};
      if (at_ == before || read_name().empty()) return wrong("an attribute or the end of the tag");
      skip_space();
      if (!take("=")) return wrong("=");
      skip_space();
      const std::string_view quote = looking_at("\"") ? "\"" : "'";
      if (!take(quote) || !skip_past(quote)) return wrong("a quoted value");
    }
  }
  base::result<void> read_text(std::string& out) {
    while (at_ < text_.size() && text_[at_] != '<') {
      if (text_[at_] != '&') {
        out += text_[at_++];
        continue;
      }
      const auto end = text_.find(';', at_);
      if (end == std::string_view::npos || end - at_ > 10) return wrong("an entity");
      const auto c = character_of(text_.substr(at_ + 1, end - at_ - 1));
      if (!c) return wrong("a predefined entity or a character's number");
      append_utf8(out, *c);
      at_ = end + 1;
    }
    return {};
  }
  base::result<element> read_element(std::size_t depth) {
    if (depth >= deepest) return wrong("at most 32 levels");
    if (++count_ > most_elements) return wrong("at most 4096 elements");
    if (!take("<")) return wrong("an element");
    const auto name = read_name();
    element e;
    e.name = without_prefix(name);
    if (e.name.empty()) return wrong("a name");
    if (auto ok = skip_attributes(); !ok) return base::fail(ok.error());
    if (take("/>")) return e;
    if (!take(">")) return wrong(">");
    for (;;) {
      if (auto ok = read_text(e.text); !ok) return base::fail(ok.error());
      if (at_ >= text_.size()) return wrong("an end tag");
      if (take("<![CDATA[")) {
        const auto begin = at_;
        if (!skip_past("]]>")) return wrong("]]>");
        e.text += text_.substr(begin, at_ - 3 - begin);
        continue;
      }
      const auto skipped = skip_one();
      if (!skipped) return base::fail(skipped.error());
      if (*skipped) continue;
      if (take("</")) {
        if (read_name() != name) return wrong("the end tag of the element");
        skip_space();
        if (!take(">")) return wrong(">");
        e.text = std::string(trim(e.text));
        return e;
      }
      auto child = read_element(depth + 1);
      if (!child) return child;
      e.children.push_back(std::move(*child));
    }
  }

  std::string_view text_;
  std::size_t at_ = 0, count_ = 0;
};

}  // namespace

const element* element::child(std::string_view n) const noexcept {
  const auto found = std::ranges::find(children, n, &element::name);
  return found != children.end() ? &*found : nullptr;
}

std::string_view element::text_of(std::string_view n) const noexcept {
  const auto* c = child(n);
  return c != nullptr ? std::string_view(c->text) : std::string_view();
}

void element::collect(std::string_view n, std::vector<const element*>& into) const {
  if (name == n) into.push_back(this);
  for (const auto& c : children) c.collect(n, into);
}

base::result<element> parse(std::string_view document) { return reader(document).document(); }

std::string escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      default: out += c;
    }
  }
  return out;
}

}  // namespace strata::portmap::xml
