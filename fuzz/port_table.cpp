// A shared port: whoever sends, comes and goes in whatever order, a datagram goes to somebody who is there or to nobody, and
// the table stays within its bounds.
#include "ice/port_table.hpp"

#include <set>

#include "check.hpp"

using namespace strata;
using namespace strata::ice;

namespace {

constexpr port_table::limits bounds{.sharers = 4,
                                    .transactions = 3,
                                    .claims = 3,
                                    .transaction_lifetime = std::chrono::seconds(60),
                                    .claim_rests = std::chrono::seconds(30)};

// A STUN header, with whatever follows as attributes.
base::bytes stun_message(std::uint8_t kind, std::uint8_t id, base::byte_view attributes) {
  attributes = attributes.first(attributes.size() / 4 * 4);
  // Request, success, indication, error: the two class bits (RFC 8489 §5).
  base::bytes m = {static_cast<std::uint8_t>(kind & 1),
                   static_cast<std::uint8_t>((kind & 2) != 0 ? 0x11 : 0x01),
                   0,
                   static_cast<std::uint8_t>(attributes.size()),
                   0x21,
                   0x12,
                   0xa4,
                   0x42};
  m.resize(19);
  m.push_back(id % 8);
  base::append(m, attributes);
  return m;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
  port_table table(bounds);
  std::set<port_table::sharer> there;
  base::instant now{std::chrono::hours(1)};
  base::byte_view left(input, size);
  while (left.size() >= 4) {
    const auto what = left[0], who = left[1], where = left[2], length = left[3];
    left = left.subspan(4);
    const auto tail = left.first(std::min<std::size_t>(left.size(), length % 32));
    left = left.subspan(tail.size());
    const base::endpoint remote{base::ip_address::v4(192, 0, 2, where % 8), 5000};
    const port_table::sharer one = who % 16;
    const auto datagram = what % 2 == 0 ? base::to_bytes(tail) : stun_message(who >> 4, where >> 4, tail);
    switch (what / 2 % 5) {
      case 0:
        if (const auto s = table.add(base::as_text(tail))) there.insert(*s);
        break;
      case 1:
        table.remove(one);
        there.erase(one);
        break;
      case 2: table.on_send(one, remote, datagram, now); break;
      case 3: {
        const auto v = table.whose(remote, datagram, now);
        STRATA_FUZZ_CHECK(v.whose.has_value() == v.why_nobody.empty());
        STRATA_FUZZ_CHECK(!v.whose || there.contains(*v.whose));
        break;
      }
      default: now += std::chrono::seconds(length); break;
    }
    STRATA_FUZZ_CHECK(table.sharers() == there.size() && there.size() <= bounds.sharers);
    STRATA_FUZZ_CHECK(table.claims() <= there.size() * bounds.claims);
    STRATA_FUZZ_CHECK(table.transactions() <= there.size() * bounds.transactions);
  }
  return 0;
}
