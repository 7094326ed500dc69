// Any octets: what is read as a frame is written the same again.
#include "mesh/frame.hpp"

#include <algorithm>

#include "check.hpp"

using namespace strata;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const base::byte_view octets{data, size};
  if (const auto f = mesh::decode(octets)) STRATA_FUZZ_CHECK(std::ranges::equal(mesh::encode(*f), octets));
  if (const auto b = mesh::unbundle(base::as_text(octets))) STRATA_FUZZ_CHECK(mesh::bundle(*b) == base::as_text(octets));
  return 0;
}
