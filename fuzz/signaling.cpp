// The signaling envelope: what parses is written, read again and the same, in both dialects; payload readers take anything.
#include "signaling/message.hpp"

#include "base/bytes.hpp"
#include "check.hpp"

using namespace strata;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto first = signaling::parse(base::as_text({data, size}));
  if (!first) return 0;
  for (const auto names : {signaling::dialect::plain, signaling::dialect::sdp_names}) {
    const auto again = signaling::parse(signaling::format(*first, names));
    STRATA_FUZZ_CHECK(again);
    STRATA_FUZZ_CHECK(again->what == first->what && again->peer_id == first->peer_id && again->target_id == first->target_id);
    STRATA_FUZZ_CHECK(again->payload.dump() == first->payload.dump());
  }
  (void)signaling::sdp_of(first->payload);
  if (const auto candidate = signaling::candidate_of(first->payload)) {
    const auto again = signaling::candidate_of(signaling::to_payload(*candidate));
    STRATA_FUZZ_CHECK(again && again->candidate == candidate->candidate && again->mid == candidate->mid);
  }
  return 0;
}
