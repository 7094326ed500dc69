// Keeps a reset request back until the data it closes has arrived.
//
// RFC 6525 §5.2.2 lets a receiver answer "in progress" when a request overtakes data. usrsctp 0.9.5 does, and then forgets
// about the request until the next DATA chunk comes after the missing one; when the channel was quiet, that is never, and
// the close of a channel hangs on both sides. A request that arrives a little later is something every sender lives with.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "base/bytes.hpp"
#include "sctp/packet.hpp"

namespace strata::sctp {

class early_reset {
 public:
  // Our own SACK tells how far the data has come.
  void acknowledged(std::uint32_t tsn) noexcept { cumulative_ = tsn; }

  // The packet without a request that is too early. It may have no chunk left.
  [[nodiscard]] base::bytes hold_back(base::byte_view packet) {
    base::bytes rest = base::to_bytes(packet.first(common_header_size));
    auto chunks = chunks_of(packet);
    for (auto before = chunks; const auto c = take_chunk(chunks); before = chunks) {
      const auto octets = before.first(before.size() - chunks.size());
      if (is_early(*c)) {
        held_ = base::to_bytes(packet.first(common_header_size));  // its latest transmission replaces an earlier one
        base::append(*held_, octets);
        until_ = *last_tsn_before_reset(*c);
      } else {
        base::append(rest, octets);
      }
    }
    return rest;
  }
  [[nodiscard]] bool concerns(base::byte_view packet) const noexcept {
    auto chunks = chunks_of(packet);
    while (const auto c = take_chunk(chunks))
      if (is_early(*c)) return true;
    return false;
  }

  // A packet whose time has come.
  [[nodiscard]] std::optional<base::bytes> take() {
    if (!held_ || tsn_after(until_, *cumulative_)) return std::nullopt;
    return std::exchange(held_, std::nullopt);
  }

 private:
  [[nodiscard]] bool is_early(const chunk& c) const noexcept {
    const auto last = last_tsn_before_reset(c);
    return last && cumulative_ && tsn_after(*last, *cumulative_);
  }
  std::optional<std::uint32_t> cumulative_;  // nothing before our first SACK: then no data has come at all
  std::optional<base::bytes> held_;
  std::uint32_t until_ = 0;
};

}  // namespace strata::sctp
