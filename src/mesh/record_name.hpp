// How outbox and inbox name their records: "<peer> <kind>[ <rest>]". No peer id has a space in it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_reader.hpp"
#include "base/byte_writer.hpp"
#include "store/change.hpp"

namespace strata::mesh {

struct record_name {
  char kind = 0;
  std::uint32_t stream = 0;
  std::uint64_t sequence = 0;
};

// "<peer> e", "<peer> s 00000001", "<peer> m 00000001 0000000000000001": kinds other than e, s and m do not exist.
std::string to_name(std::string_view peer, record_name n);
std::optional<record_name> from_name(std::string_view peer,
                                     std::string_view name);  // of another peer, or not one of these: nothing
bool belongs_to(std::string_view peer, std::string_view name);
std::vector<std::string> peers_of(const std::vector<store::record>& records);  // ascending, each once

inline std::string as_string(const base::bytes& b) { return std::string(base::as_text(b)); }

}  // namespace strata::mesh
