// Session descriptions: lines are written and read again the same; so is their meaning; and whatever is a valid offer can be
// answered with something that fits it.
#include "base/bytes.hpp"
#include "check.hpp"
#include "sdp/data_description.hpp"
#include "sdp/negotiation.hpp"

using namespace strata;

namespace {

sdp::data_description ourselves() {
  sdp::data_description d;
  d.session_id = 1;
  d.ice_ufrag = "abcdefgh";
  d.ice_pwd = "abcdefghijklmnopqrstuvwx";
  d.fingerprints = {{crypto::hash_function::sha_256, base::bytes(32, 7)}};
  d.candidates = {"candidate:1 1 UDP 2122317823 192.0.2.9 53917 typ host"};
  return d;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = base::as_text({data, size});
  const auto lines = sdp::parse(text);
  if (!lines) {
    STRATA_FUZZ_CHECK(!sdp::explain(lines.error(), text).empty());
    return 0;
  }
  const auto written = sdp::format(*lines);
  const auto again = sdp::parse(written);
  STRATA_FUZZ_CHECK(again && *again == *lines);
  STRATA_FUZZ_CHECK(sdp::format(*again) == written);

  const auto meaning = sdp::read(*lines);
  if (!meaning) return 0;
  const auto rewritten = sdp::write(*meaning);
  const auto reread = sdp::read(rewritten);
  STRATA_FUZZ_CHECK(reread && *reread == *meaning);
  const auto through_text = sdp::parse_data_description(sdp::format(rewritten));
  STRATA_FUZZ_CHECK(through_text && *through_text == *meaning);
  STRATA_FUZZ_CHECK(sdp::check_change(*meaning, *meaning));

  const auto answer = sdp::create_answer(ourselves(), *meaning);
  STRATA_FUZZ_CHECK(answer && sdp::check_answer(*meaning, *answer));
  const auto received = sdp::parse_data_description(sdp::format_data_description(*answer));
  STRATA_FUZZ_CHECK(received && sdp::check_answer(*meaning, *received));
  return 0;
}
