#include "registry/stored.hpp"

namespace strata::registry {
namespace {

class category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "registry store"; }
  std::string message(int) const override { return "a record cannot be read"; }
};

// Beyond these a time does not fit into nanoseconds since 1970.
constexpr std::int64_t latest = 9'000'000'000;

}  // namespace

std::error_code make_error_code(stored_errc e) noexcept {
  static const category instance;
  return {static_cast<int>(e), instance};
}

std::int64_t unix_seconds(base::wall_time t) noexcept {
  return std::chrono::floor<std::chrono::seconds>(t).time_since_epoch().count();
}

base::wall_time from_unix_seconds(std::int64_t s) noexcept { return base::wall_time(std::chrono::seconds(s)); }

stored_reader::stored_reader(std::string_view value) {
  if (auto v = base::json::parse(value); v && v->is_object()) value_ = std::move(*v);
  else good_ = false;
}

std::string stored_reader::text(std::string_view name) {
  const auto* field = value_.find(name);
  const auto* text = field != nullptr ? field->as_string() : nullptr;
  if (text == nullptr) good_ = false;
  return text != nullptr ? *text : std::string();
}

std::int64_t stored_reader::number(std::string_view name) {
  const auto* field = value_.find(name);
  const auto n = field != nullptr ? field->as_int() : std::nullopt;
  if (!n || *n < 0 || *n > latest) good_ = false;
  return good_ ? *n : 0;
}

std::optional<base::wall_time> stored_reader::time_if_there(std::string_view name) {
  if (value_.find(name) == nullptr) return std::nullopt;
  return time(name);
}

}  // namespace strata::registry
