// How the records of this folder look at rest: one JSON object each, times as whole seconds since 1970.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/json.hpp"
#include "base/result.hpp"
#include "base/time.hpp"

namespace strata::registry {

enum class stored_errc { damaged = 1 };
std::error_code make_error_code(stored_errc e) noexcept;

std::int64_t unix_seconds(base::wall_time t) noexcept;
base::wall_time from_unix_seconds(std::int64_t s) noexcept;

// Reads the members of a record; the first that is missing or of another kind spoils it. A record that cannot be read is an
// error of the start, never skipped: what is silently forgotten may be a revocation.
class stored_reader {
 public:
  explicit stored_reader(std::string_view value);

  std::string text(std::string_view name);
  std::int64_t number(std::string_view name);
  base::wall_time time(std::string_view name) { return from_unix_seconds(number(name)); }
  std::optional<base::wall_time> time_if_there(std::string_view name);

  [[nodiscard]] bool good() const noexcept { return good_; }
  void spoil() noexcept { good_ = false; }

 private:
  base::json value_;
  bool good_ = true;
};

}  // namespace strata::registry

template <>
struct std::is_error_code_enum<strata::registry::stored_errc> : std::true_type {};
