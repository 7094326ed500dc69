#include "base/crc32.hpp"

#include <array>
#include <cstring>

namespace strata::base {
namespace {

// Slicing by eight: table[k][b] advances byte b over k further zero bytes.
using tables = std::array<std::array<std::uint32_t, 256>, 8>;

constexpr tables make_tables(std::uint32_t reflected_polynomial) {
  tables t{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t c = i;
    for (int bit = 0; bit < 8; ++bit) c = (c >> 1) ^ ((c & 1) != 0 ? reflected_polynomial : 0);
    t[0][i] = c;
  }
  for (std::size_t k = 1; k < 8; ++k)
    for (std::size_t i = 0; i < 256; ++i) t[k][i] = (t[k - 1][i] >> 8) ^ t[0][t[k - 1][i] & 0xff];
  return t;
}

constexpr tables iso = make_tables(0xEDB88320u);
constexpr tables castagnoli = make_tables(0x82F63B78u);

std::uint32_t run(const tables& t, byte_view data, std::uint32_t crc) noexcept {
  crc = ~crc;
  std::size_t i = 0;
  for (; i + 8 <= data.size(); i += 8) {
    const std::uint32_t low = crc ^ (std::uint32_t{data[i]} | std::uint32_t{data[i + 1]} << 8 |
                                     std::uint32_t{data[i + 2]} << 16 | std::uint32_t{data[i + 3]} << 24);
    crc = t[7][low & 0xff] ^ t[6][low >> 8 & 0xff] ^ t[5][low >> 16 & 0xff] ^ t[4][low >> 24] ^ t[3][data[i + 4]] ^
          t[2][data[i + 5]] ^ t[1][data[i + 6]] ^ t[0][data[i + 7]];
  }
  for (; i < data.size(); ++i) crc = t[0][(crc ^ data[i]) & 0xff] ^ crc >> 8;
  return ~crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) std::uint32_t crc32c_sse42(byte_view data, std::uint32_t crc) noexcept {
  std::uint64_t c = ~crc & 0xffffffffu;
  std::size_t i = 0;
  for (; i + 8 <= data.size(); i += 8) {
    std::uint64_t word;
    std::memcpy(&word, data.data() + i, 8);
    c = __builtin_ia32_crc32di(c, word);
  }
  auto narrow = static_cast<std::uint32_t>(c);
  for (; i < data.size(); ++i) narrow = __builtin_ia32_crc32qi(narrow, data[i]);
  return ~narrow;
}
#endif

}  // namespace

std::uint32_t crc32(byte_view data, std::uint32_t crc) noexcept { return run(iso, data, crc); }

std::uint32_t crc32c_portable(byte_view data, std::uint32_t crc) noexcept { return run(castagnoli, data, crc); }

bool crc32c_is_accelerated() noexcept {
#if defined(__x86_64__)
  static const bool available = __builtin_cpu_supports("sse4.2") != 0;
  return available;
#else
  return false;
#endif
}

std::uint32_t crc32c(byte_view data, std::uint32_t crc) noexcept {
#if defined(__x86_64__)
  if (crc32c_is_accelerated()) return crc32c_sse42(data, crc);
#endif
  return crc32c_portable(data, crc);
}

}  // namespace strata::base
