// The short way of application data through record_protection. mbedTLS's counters stay the only ones, because alerts and
// repeated Finished messages still go through it: a sequence number is used once, and the replay window sees every record.
#include <algorithm>

#include "dtls/session.hpp"

namespace strata::dtls {

// While mbedTLS keeps its handshake (until the first data of the peer), everything goes through it, so that it notices
// when the last flight need not be kept any more (RFC 6347 §4.2.4).
bool session::protects(const record_view& record) const noexcept {
  return protection_ && ssl_.handshake == nullptr && record.type == content_type::application_data &&
         record.epoch == ssl_.in_epoch;
}

session::progress session::read_protected(const record_view& record, const std::function<bool(base::byte_view)>& deliver,
                                          bool& go_on) {
  std::uint8_t text[largest_plaintext];
  if (replayed(record.sequence)) return progress::discarded;
  const auto size = protection_->open(record, text);
  if (!size) return progress::discarded;
  remember(record.sequence);  // RFC 6347 §4.1.2.6: only after the record has proved authentic
  if (*size != 0) go_on = deliver({text, *size});
  return progress::done;
}

bool session::write_protected(base::byte_view application_data) {
  std::uint8_t record[largest_plaintext + record_protection::overhead];
  const record_protection::number number(ssl_.cur_out_ctr);
  // RFC 6347 §4.1: sequence numbers must not wrap. At a million records a second that takes nine years.
  if (std::all_of(number.begin() + 2, number.end(), [](std::uint8_t octet) { return octet == 0xff; })) return false;
  protection_->seal(number, application_data, record);
  for (std::size_t i = 8; i-- > 2 && ++ssl_.cur_out_ctr[i] == 0;) continue;
  return owner_.transmit({record, application_data.size() + record_protection::overhead});
}

// RFC 6347 §4.1.2.6, with the window of 64 that mbedTLS keeps: bit n stands for the record n before the newest.
bool session::replayed(std::uint64_t sequence) const noexcept {
  if (sequence > ssl_.in_window_top) return false;
  const std::uint64_t age = ssl_.in_window_top - sequence;
  return age >= 64 || (ssl_.in_window >> age & 1) != 0;
}

void session::remember(std::uint64_t sequence) noexcept {
  if (sequence <= ssl_.in_window_top) {
    ssl_.in_window |= std::uint64_t{1} << (ssl_.in_window_top - sequence);
    return;
  }
  const std::uint64_t ahead = sequence - ssl_.in_window_top;
  ssl_.in_window = ahead >= 64 ? 1 : ssl_.in_window << ahead | 1;
  ssl_.in_window_top = sequence;
}

}  // namespace strata::dtls
