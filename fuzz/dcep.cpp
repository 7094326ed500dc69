// DCEP: what parses is written as the same octets again, but for what some peers put behind an ACK, and its options make the
// same OPEN as far as they can hold it.
#include "datachannel/dcep.hpp"

#include "check.hpp"

using namespace strata;
using namespace strata::datachannel;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const base::byte_view input(data, size);
  const auto parsed = parse_dcep(input);
  if (!parsed) {
    STRATA_FUZZ_CHECK(parsed.error().offset <= size);
    return 0;
  }
  const auto again = std::visit([](const auto& m) { return format(m); }, *parsed);
  const bool is_ack = std::holds_alternative<ack_message>(*parsed);
  STRATA_FUZZ_CHECK(again == base::to_bytes(is_ack ? input.first(1) : input));
  if (const auto* open = std::get_if<open_message>(&*parsed)) {
    const auto back = open_of(options_of(*open));
    STRATA_FUZZ_CHECK(back.type == open->type && back.priority == open->priority && back.label == open->label &&
                      back.protocol == open->protocol);
    STRATA_FUZZ_CHECK(back.reliability_parameter <= open->reliability_parameter);
  }
  return 0;
}
