// JSON as a value. Text is read by simdjson (strict RFC 8259, UTF-8 checked, the whole document) and written by one
// small writer; object members keep their order.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.hpp"

namespace strata::base {

enum class json_errc { syntax = 1, too_deep, too_large, not_utf8 };
std::error_code make_error_code(json_errc e) noexcept;

class json {
 public:
  using member = std::pair<std::string, json>;
  using array = std::vector<json>;
  using object = std::vector<member>;

  json() = default;  // null
  json(std::nullptr_t) {}
  json(bool b) : value_(b) {}
  template <class N>
    requires(std::is_integral_v<N> && !std::is_same_v<N, bool>)
  json(N n) : value_(static_cast<std::int64_t>(n)) {}
  json(double d) : value_(d) {}
  json(std::string s) : value_(std::move(s)) {}
  json(std::string_view s) : value_(std::string(s)) {}
  json(const char* s) : value_(std::string(s)) {}
  json(array a) : value_(std::move(a)) {}
  json(object o) : value_(std::move(o)) {}
  // make({{"type", "offer"}, {"payload", nullptr}})
  static json make(std::initializer_list<member> members) { return json(object(members)); }

  // At most 64 levels deep. Offsets of syntax errors are not known to the parser and are left out.
  static result<json> parse(std::string_view text);
  // One line; control characters escaped, everything else raw UTF-8.
  [[nodiscard]] std::string dump() const;
  void dump_to(std::string& out) const;

  [[nodiscard]] bool is_null() const noexcept { return std::holds_alternative<std::monostate>(value_); }
  [[nodiscard]] bool is_object() const noexcept { return std::holds_alternative<object>(value_); }
  [[nodiscard]] bool is_array() const noexcept { return std::holds_alternative<array>(value_); }
  [[nodiscard]] bool is_string() const noexcept { return std::holds_alternative<std::string>(value_); }
  [[nodiscard]] bool is_number() const noexcept {
    return std::holds_alternative<std::int64_t>(value_) || std::holds_alternative<double>(value_);
  }
  [[nodiscard]] bool is_bool() const noexcept { return std::holds_alternative<bool>(value_); }

  // Empty when the value is of another kind.
  [[nodiscard]] std::optional<bool> as_bool() const noexcept;
  [[nodiscard]] std::optional<std::int64_t> as_int() const noexcept;  // whole numbers only
  [[nodiscard]] std::optional<double> as_double() const noexcept;
  [[nodiscard]] const std::string* as_string() const noexcept { return std::get_if<std::string>(&value_); }
  [[nodiscard]] const array* as_array() const noexcept { return std::get_if<array>(&value_); }
  [[nodiscard]] const object* as_object() const noexcept { return std::get_if<object>(&value_); }
  [[nodiscard]] array* as_array() noexcept { return std::get_if<array>(&value_); }
  [[nodiscard]] object* as_object() noexcept { return std::get_if<object>(&value_); }

  // Members of objects: the last one of a name counts; null pointer when absent or when this is no object.
  [[nodiscard]] const json* find(std::string_view name) const noexcept;
  [[nodiscard]] std::string_view text(std::string_view name, std::string_view otherwise = {}) const noexcept;
  void set(std::string_view name, json v);  // replaces or appends; makes null an object

  friend bool operator==(const json&, const json&) = default;

 private:
  std::variant<std::monostate, bool, std::int64_t, double, std::string, array, object> value_;
};

}  // namespace strata::base

template <>
struct std::is_error_code_enum<strata::base::json_errc> : std::true_type {};
