// A candidate line as signaling delivers it: what can be read is written in one way only, and read again as the same.
#include <cstddef>
#include <cstdint>

#include "check.hpp"
#include "ice/candidate_text.hpp"

using namespace strata;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = base::as_text({data, size});
  const auto first = ice::parse_candidate(text);
  if (!first) {
    STRATA_FUZZ_CHECK(first.error().offset == base::error::nowhere || first.error().offset <= size);
    return 0;
  }
  const auto written = ice::format(*first);
  const auto second = ice::parse_candidate(written);
  STRATA_FUZZ_CHECK(second.has_value());
  STRATA_FUZZ_CHECK(ice::format(*second) == written);
  STRATA_FUZZ_CHECK(second->address == first->address && second->name == first->name && second->type == first->type);
  STRATA_FUZZ_CHECK(second->priority == first->priority && second->foundation == first->foundation);
  STRATA_FUZZ_CHECK(second->ufrag == first->ufrag && second->generation == first->generation &&
                    second->extensions == first->extensions);
  return 0;
}
