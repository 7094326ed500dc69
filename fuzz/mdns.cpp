// A multicast DNS message: names with compression, records of every kind; what was read is written and read as the same.
#include <cstddef>
#include <cstdint>

#include "check.hpp"
#include "ice/mdns.hpp"

using namespace strata;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto first = ice::mdns::decode({data, size});
  if (!first) return 0;
  const auto second = ice::mdns::decode(ice::mdns::encode(*first));
  STRATA_FUZZ_CHECK(second.has_value());
  STRATA_FUZZ_CHECK(*second == *first);
  return 0;
}
