// ChannelData: what parses is written again byte for byte, up to its padding; streams are cut without reading too far.
#include <algorithm>

#include "check.hpp"
#include "stun/channel_data.hpp"
#include "stun/explain.hpp"
#include "stun/stream_framer.hpp"
#include "stun/wire.hpp"

using namespace strata;
using namespace strata::stun;

namespace {

// A stream of whole messages is cut where they end.
void check_framing(base::byte_view data) {
  stream_framer framer;
  std::size_t total = 0;
  framer.append(data);
  for (;;) {
    const auto next = framer.next();
    if (!next || !*next) break;
    total += wire::padded((*next)->bytes.size());
    STRATA_FUZZ_CHECK(total <= data.size());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
  const base::byte_view data(input, size);
  const auto text = explain(data);
  (void)to_text(text, data);
  check_framing(data);
  const auto c = channel_data::parse(data);
  if (!c) return 0;
  base::bytes out;
  STRATA_FUZZ_CHECK(write_channel_data(out, c->channel, c->data));
  STRATA_FUZZ_CHECK(std::ranges::equal(out, data.first(out.size())));
  STRATA_FUZZ_CHECK(wire::padded(out.size()) >= data.size());
  return 0;
}
