#include "dtls/record_protection.hpp"

#include <algorithm>

namespace strata::dtls {
namespace {

constexpr std::uint16_t dtls_1_2 = 0xfefd;
constexpr auto application_data = static_cast<std::uint8_t>(content_type::application_data);

using nonce = std::array<std::uint8_t, crypto::aes_128_gcm::nonce_size>;
using associated_data = std::array<std::uint8_t, 13>;

nonce nonce_of(const std::array<std::uint8_t, 4>& salt, const std::uint8_t* explicit_part) noexcept {
  nonce n;
  std::copy(salt.begin(), salt.end(), n.begin());
  std::copy_n(explicit_part, record_protection::explicit_nonce_size, n.begin() + 4);
  return n;
}

associated_data associated(const std::uint8_t* number, std::size_t size) noexcept {
  associated_data a;
  std::copy_n(number, 8, a.begin());
  a[8] = application_data;
  a[9] = dtls_1_2 >> 8;
  a[10] = dtls_1_2 & 0xff;
  a[11] = static_cast<std::uint8_t>(size >> 8);
  a[12] = static_cast<std::uint8_t>(size);
  return a;
}

}  // namespace

record_protection::record_protection(key_block keys, bool client)
    : seal_(client ? keys.subspan<0, 16>() : keys.subspan<16, 16>()),
      open_(client ? keys.subspan<16, 16>() : keys.subspan<0, 16>()) {
  std::copy_n(keys.begin() + 32, 4, (client ? seal_salt_ : open_salt_).begin());
  std::copy_n(keys.begin() + 36, 4, (client ? open_salt_ : seal_salt_).begin());
}

void record_protection::seal(number epoch_and_sequence, base::byte_view text, std::uint8_t* out) const noexcept {
  const std::size_t length = explicit_nonce_size + text.size() + crypto::aes_128_gcm::tag_size;
  out[0] = application_data;
  out[1] = dtls_1_2 >> 8;
  out[2] = dtls_1_2 & 0xff;
  std::copy(epoch_and_sequence.begin(), epoch_and_sequence.end(), out + 3);
  out[11] = static_cast<std::uint8_t>(length >> 8);
  out[12] = static_cast<std::uint8_t>(length);
  std::uint8_t* explicit_nonce = out + record_header_size;
  std::copy(epoch_and_sequence.begin(), epoch_and_sequence.end(), explicit_nonce);
  seal_.seal(nonce_of(seal_salt_, explicit_nonce), associated(out + 3, text.size()), text,
             explicit_nonce + explicit_nonce_size);
}

std::optional<std::size_t> record_protection::open(const record_view& record, std::uint8_t* out) const noexcept {
  constexpr std::size_t extra = explicit_nonce_size + crypto::aes_128_gcm::tag_size;
  const base::byte_view body = record.fragment;
  if (record.type != content_type::application_data || record.version != dtls_1_2 || body.size() < extra ||
      body.size() - extra > largest_plaintext)
    return std::nullopt;
  const std::size_t size = body.size() - extra;
  std::array<std::uint8_t, 8> number;
  for (int i = 0; i < 2; ++i) number[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(record.epoch >> (8 - 8 * i));
  for (int i = 0; i < 6; ++i)
    number[static_cast<std::size_t>(2 + i)] = static_cast<std::uint8_t>(record.sequence >> (40 - 8 * i));
  if (!open_.open(nonce_of(open_salt_, body.data()), associated(number.data(), size), body.subspan(explicit_nonce_size), out))
    return std::nullopt;
  return size;
}

}  // namespace strata::dtls
