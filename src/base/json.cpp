#include "base/json.hpp"

#include <simdjson.h>

#include <charconv>
#include <cmath>

namespace strata::base {
namespace {

constexpr int deepest = 64;

class category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "json"; }
  std::string message(int value) const override {
    switch (static_cast<json_errc>(value)) {
      case json_errc::syntax: return "not a JSON document";
      case json_errc::too_deep: return "nested too deeply";
      case json_errc::too_large: return "document too large";
      case json_errc::not_utf8: return "not UTF-8";
    }
    return "unknown error";
  }
};

json copy(const simdjson::dom::element& e) {
  using kind = simdjson::dom::element_type;
  switch (e.type()) {
    case kind::ARRAY: {
      json::array a;
      for (const auto item : simdjson::dom::array(e)) a.push_back(copy(item));
      return a;
    }
    case kind::OBJECT: {
      json::object o;
      for (const auto [name, value] : simdjson::dom::object(e)) o.emplace_back(std::string(name), copy(value));
      return o;
    }
    case kind::INT64: return std::int64_t(e);
    case kind::UINT64: return static_cast<double>(std::uint64_t(e));  // beyond int64: as any JavaScript peer sees it
    case kind::DOUBLE: return double(e);
    case kind::STRING: return std::string_view(e);
    case kind::BOOL: return bool(e);
    case kind::NULL_VALUE: return nullptr;
  }
  return nullptr;
}

void write_text(std::string& out, std::string_view s) {
  static constexpr char hex[] = "0123456789abcdef";
  out.push_back('"');
  for (const char c : s) {
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          out += "\\u00";
          out.push_back(hex[c >> 4 & 15]);
          out.push_back(hex[c & 15]);
        } else {
          out.push_back(c);
        }
    }
  }
  out.push_back('"');
}

}  // namespace

std::error_code make_error_code(json_errc e) noexcept {
  static const category instance;
  return {static_cast<int>(e), instance};
}

result<json> json::parse(std::string_view text) {
  if (text.size() > 64u << 20) return fail(json_errc::too_large);
  if (text.empty()) return fail(json_errc::syntax, 0, "a value");
  simdjson::dom::parser parser;
  if (parser.allocate(std::max<std::size_t>(text.size(), 64), deepest) != simdjson::SUCCESS) return fail(json_errc::too_large);
  simdjson::dom::element root;
  const auto trouble = parser.parse(text.data(), text.size(), true).get(root);
  if (trouble == simdjson::SUCCESS) return copy(root);
  if (trouble == simdjson::DEPTH_ERROR) return fail(json_errc::too_deep, error::nowhere, "at most 64 levels");
  if (trouble == simdjson::UTF8_ERROR) return fail(json_errc::not_utf8);
  return fail(json_errc::syntax, error::nowhere, simdjson::error_message(trouble));
}

void json::dump_to(std::string& out) const {
  struct visitor {
    std::string& out;
    void operator()(std::monostate) const { out += "null"; }
    void operator()(bool b) const { out += b ? "true" : "false"; }
    void operator()(std::int64_t n) const { out += std::to_string(n); }
    void operator()(double d) const {
      if (!std::isfinite(d)) {  // JSON has no such numbers
        out += "null";
        return;
      }
      char text[32];
      const auto end = std::to_chars(text, text + sizeof text, d).ptr;
      out.append(text, end);
    }
    void operator()(const std::string& s) const { write_text(out, s); }
    void operator()(const array& a) const {
      out.push_back('[');
      for (std::size_t i = 0; i < a.size(); ++i) {
        if (i != 0) out.push_back(',');
        a[i].dump_to(out);
      }
      out.push_back(']');
    }
    void operator()(const object& o) const {
      out.push_back('{');
      for (std::size_t i = 0; i < o.size(); ++i) {
        if (i != 0) out.push_back(',');
        write_text(out, o[i].first);
        out.push_back(':');
        o[i].second.dump_to(out);
      }
      out.push_back('}');
    }
  };
  std::visit(visitor{out}, value_);
}

std::string json::dump() const {
  std::string out;
  dump_to(out);
  return out;
}

std::optional<bool> json::as_bool() const noexcept {
  if (const auto* b = std::get_if<bool>(&value_)) return *b;
  return std::nullopt;
}

std::optional<std::int64_t> json::as_int() const noexcept {
  if (const auto* n = std::get_if<std::int64_t>(&value_)) return *n;
  if (const auto* d = std::get_if<double>(&value_); d != nullptr && *d == std::floor(*d) && std::fabs(*d) < 9e15)
    return static_cast<std::int64_t>(*d);
  return std::nullopt;
}

std::optional<double> json::as_double() const noexcept {
  if (const auto* d = std::get_if<double>(&value_)) return *d;
  if (const auto* n = std::get_if<std::int64_t>(&value_)) return static_cast<double>(*n);
  return std::nullopt;
}

const json* json::find(std::string_view name) const noexcept {
  const auto* o = as_object();
  if (o == nullptr) return nullptr;
  for (auto m = o->rbegin(); m != o->rend(); ++m)
    if (m->first == name) return &m->second;
  return nullptr;
}

std::string_view json::text(std::string_view name, std::string_view otherwise) const noexcept {
  const auto* v = find(name);
  const auto* s = v != nullptr ? v->as_string() : nullptr;
  return s != nullptr ? std::string_view(*s) : otherwise;
}

void json::set(std::string_view name, json v) {
  if (is_null()) value_ = object();
  auto& members = std::get<object>(value_);
  for (auto& m : members)
    if (m.first == name) {
      m.second = std::move(v);
      return;
    }
  members.emplace_back(std::string(name), std::move(v));
}

}  // namespace strata::base
