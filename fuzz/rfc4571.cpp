// Frames in a stream: what is cut out is what was there, and nothing is kept that is not needed.
#include "net/rfc4571.hpp"

#include <algorithm>

#include "check.hpp"

using namespace strata;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
  if (size < 2) return 0;
  const std::size_t step = 1 + input[0], largest = input[1] * 16;
  const base::byte_view stream(input + 2, size - 2);
  net::frame_reader reader(largest);
  base::bytes again;
  bool broken = false;
  for (std::size_t at = 0; at < stream.size() && !broken; at += step) {
    reader.append(stream.subspan(at, std::min(step, stream.size() - at)));
    for (;;) {
      const auto frame = reader.next();
      broken = !frame;
      if (!frame || !*frame) break;
      STRATA_FUZZ_CHECK((*frame)->size() <= largest);
      STRATA_FUZZ_CHECK(net::append_frame(again, **frame));
    }
    STRATA_FUZZ_CHECK(broken || reader.buffered() < largest + 2);
    if (broken) STRATA_FUZZ_CHECK(reader.next().error() == base::errc::too_large);
  }
  STRATA_FUZZ_CHECK(again.size() <= stream.size());
  STRATA_FUZZ_CHECK(std::ranges::equal(again, stream.first(again.size())));
  return 0;
}
