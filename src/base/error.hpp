// Trouble as a value. Every layer has an error enum with a std::error_category; a parse error also says at
// which byte it happened and what would have been right there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>

namespace strata::base {

struct error {
  static constexpr std::size_t nowhere = static_cast<std::size_t>(-1);

  std::error_code code;
  std::size_t offset = nowhere;    // byte offset in the input, for parse errors
  std::string_view expected = {};  // static text: what would have been right; empty when the code says it all

  error() = default;
  error(std::error_code c, std::size_t at = nowhere, std::string_view what = {}) : code(c), offset(at), expected(what) {}
  template <class Enum>
    requires std::is_error_code_enum_v<Enum>
  error(Enum e, std::size_t at = nowhere, std::string_view what = {}) : code(make_error_code(e)), offset(at), expected(what) {}

  // "<category>: <message> at byte 12, expected …"
  [[nodiscard]] std::string message() const;

  friend bool operator==(const error& a, const error& b) noexcept { return a.code == b.code && a.offset == b.offset; }
  friend bool operator==(const error& a, const std::error_code& b) noexcept { return a.code == b; }
  template <class Enum>
    requires std::is_error_code_enum_v<Enum>
  friend bool operator==(const error& a, Enum b) noexcept {
    return a.code == make_error_code(b);
  }
};

// What the world (kernel, resolver, simulated network) may answer; used by net and everything above it.
enum class errc {
  timed_out = 1,
  closed,  // the other end, or we, closed it
  refused,
  unreachable,
  in_use,
  not_found,
  too_large,
  would_block,  // a bounded queue is full
  permission,
  unsupported,
  invalid,
};
const std::error_category& base_category() noexcept;
inline std::error_code make_error_code(errc e) noexcept { return {static_cast<int>(e), base_category()}; }

}  // namespace strata::base

template <>
struct std::is_error_code_enum<strata::base::errc> : std::true_type {};
