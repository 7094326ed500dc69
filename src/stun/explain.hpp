// Takes any bytes apart as a STUN message (or ChannelData) and says what each of them is, where it is defined, and where the
// message stops being one. Nothing is refused: a broken message is explained as far as it makes sense.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "stun/credentials.hpp"

namespace strata::stun {

struct explained_field {
  std::size_t offset = 0, size = 0;
  std::string text;          // name and decoded value
  std::string_view section;  // "RFC 8489 §14.2"; empty where there is none
  unsigned depth = 0;        // 1: part of the field above it
};

struct explanation {
  std::string summary;                  // one line
  std::vector<explained_field> fields;  // in order, without gaps, over all bytes
  std::optional<base::error> error;     // the first rule that the message breaks
};

// With a key the integrity is checked too.
[[nodiscard]] explanation explain(base::byte_view data, const integrity_key* key = nullptr);

// Offset, bytes in hex, meaning and section, a line for every eight bytes; then the verdict.
[[nodiscard]] std::string to_text(const explanation& e, base::byte_view data);

}  // namespace strata::stun
