// Answers of gateways, NAT-PMP and PCP: what is read is right to the last byte, and no answer is taken for two requests.
#include <array>
#include <cstddef>
#include <cstdint>

#include "base/byte_writer.hpp"
#include "check.hpp"
#include "portmap/nat_pmp.hpp"
#include "portmap/pcp.hpp"

using namespace strata;
using namespace strata::portmap;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
  const base::byte_view data(input, size);
  const auto map = nat_pmp::read_map_answer(data);
  const auto address = nat_pmp::read_address_answer(data);
  const auto pcp_map = pcp::read_map_answer(data);
  STRATA_FUZZ_CHECK((map ? 1 : 0) + (address ? 1 : 0) + (pcp_map ? 1 : 0) <= 1);
  if (map) {
    base::bytes again;
    base::byte_writer w(again);
    w.u32(0x00810000);
    w.u32(map->epoch);
    w.u16(map->inside);
    w.u16(map->outside);
    w.u32(map->lifetime);
    STRATA_FUZZ_CHECK(base::to_bytes(data.first(again.size())) == again);
    STRATA_FUZZ_CHECK(nat_pmp::answers(nat_pmp::map_request(1, 2, 3), data));
    STRATA_FUZZ_CHECK(!nat_pmp::answers(nat_pmp::address_request(), data));
  }
  if (address) STRATA_FUZZ_CHECK(address->outside.is_v4() && nat_pmp::answers(nat_pmp::address_request(), data));
  if (pcp_map) {
    // The request that this answers, and one with another nonce.
    pcp::map_request r{{base::ip_address::v4(192, 168, 1, 7), pcp_map->inside_port}, pcp_map->nonce, 7200, {}};
    STRATA_FUZZ_CHECK(pcp::answers(pcp::encode(r), data) == (pcp_map->protocol == 17));
    r.nonce[0] ^= 1;
    STRATA_FUZZ_CHECK(!pcp::answers(pcp::encode(r), data));
  }
  return 0;
}
