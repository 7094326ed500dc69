// The names of everything that has a number on the wire, with the section that defines it. One table each; printing,
// explaining and the check for unknown attributes all read these.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "stun/attribute_type.hpp"
#include "stun/message_type.hpp"

namespace strata::stun {

struct method_entry {
  stun::method number;
  std::string_view name, section;
};
struct attribute_entry {
  attribute_type number;
  std::string_view name, section;
};
struct error_entry {
  int code;
  std::string_view reason, section;
};

[[nodiscard]] std::span<const method_entry> methods() noexcept;
[[nodiscard]] std::span<const attribute_entry> attributes() noexcept;  // ascending
[[nodiscard]] std::span<const error_entry> error_codes() noexcept;     // ascending

[[nodiscard]] const attribute_entry* find_entry(attribute_type t) noexcept;  // null: unknown
[[nodiscard]] const method_entry* find_entry(method m) noexcept;
[[nodiscard]] const error_entry* find_error(int code) noexcept;

// A name, or "0x7FFF" for what has none.
[[nodiscard]] std::string name_of(attribute_type t);
[[nodiscard]] std::string name_of(method m);
[[nodiscard]] std::string_view name_of(message_class c) noexcept;  // "request", "success response", …
[[nodiscard]] std::string_view reason_phrase(int code) noexcept;   // empty for unregistered codes

}  // namespace strata::stun
