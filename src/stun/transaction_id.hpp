// RFC 8489 §5: 96 bits from a cryptographic random source, new for every transaction.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <functional>

namespace strata::stun {

using transaction_id = std::array<std::uint8_t, 12>;

// A hash for tables whose keys we drew ourselves: the bits are random already.
struct transaction_id_hash {
  std::size_t operator()(const transaction_id& id) const noexcept {
    std::size_t h = 0;
    std::memcpy(&h, id.data(), sizeof h);
    return h;
  }
};

}  // namespace strata::stun
