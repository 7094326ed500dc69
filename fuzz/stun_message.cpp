// STUN messages: what parses is written again byte for byte, every value that decodes encodes to itself, everything is
// explained to its last byte, and no answer of the Binding server is larger than it may be.
#include <algorithm>

#include "base/byte_writer.hpp"
#include "check.hpp"
#include "stun/attributes.hpp"
#include "stun/binding_responder.hpp"
#include "stun/channel_data.hpp"
#include "stun/explain.hpp"
#include "stun/fingerprint.hpp"
#include "stun/message_writer.hpp"
#include "stun/stream_framer.hpp"
#include "stun/unknown.hpp"
#include "stun/wire.hpp"

using namespace strata;
using namespace strata::stun;

namespace {

// The message without the bytes that carry no meaning: padding is zero.
base::bytes without_padding_bits(const message_view& m) {
  auto out = base::to_bytes(m.bytes());
  for (const auto& a : m) {
    const auto from = a.offset + 4 + a.value.size();
    std::fill_n(out.begin() + static_cast<std::ptrdiff_t>(from), wire::padded(a.value.size()) - a.value.size(),
                std::uint8_t{0});
  }
  return out;
}

// parse, then write the attributes one by one: the same message again.
void check_round_trip(const message_view& m) {
  base::bytes out;
  message_writer w(out, m.type(), m.transaction_id());
  for (const auto& a : m) w.add(a.type, a.value);
  STRATA_FUZZ_CHECK(w.status().has_value());
  STRATA_FUZZ_CHECK(out == without_padding_bits(m));
}

// What decodes encodes to a value that decodes to the same.
template <class Attribute>
void check_value(const message_view& m) {
  const auto value = m.get<Attribute>();
  if (!value) return;
  base::bytes once, twice;
  base::byte_writer w(once), v(twice);
  value->encode(w, m.transaction_id());
  const auto again = Attribute::decode({Attribute::type, 0, once}, m.transaction_id());
  STRATA_FUZZ_CHECK(again.has_value());
  again->encode(v, m.transaction_id());
  STRATA_FUZZ_CHECK(once == twice);
}

template <class... Attributes>
void check_values(const message_view& m) {
  (check_value<Attributes>(m), ...);
}

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
  std::size_t at = 0;
  for (const auto& f : text.fields) {
    STRATA_FUZZ_CHECK(f.offset == at);
    at += f.size;
  }
  STRATA_FUZZ_CHECK(at == data.size());
  check_framing(data);

  base::bytes answer;
  static const base::endpoint from{base::ip_address::v4(192, 0, 2, 1), 3478};
  respond_binding({}, data, from, answer);
  STRATA_FUZZ_CHECK(answer.size() * 10 <= data.size() * 16);

  const auto m = message_view::parse(data);
  if (!m) {
    STRATA_FUZZ_CHECK(m.error().offset <= data.size());
    return 0;
  }
  STRATA_FUZZ_CHECK(is_stun(data));
  check_round_trip(*m);
  check_values<mapped_address, xor_mapped_address, xor_peer_address, xor_relayed_address, alternate_server, response_origin,
               other_address, username, realm, nonce, software, alternate_domain, stun::data, mobility_ticket, padding,
               userhash, password_algorithm, password_algorithms, error_code, address_error_code, unknown_attributes, priority,
               use_candidate, ice_controlled, ice_controlling, change_request, response_port, channel_number, lifetime,
               dont_fragment, connection_id, requested_address_family, additional_address_family, even_port,
               requested_transport, reservation_token, icmp>(*m);
  (void)check_fingerprint(*m);
  static const auto key = short_term_key("VOkJxbRl1RmTxUk/WvJxBt");
  (void)check_integrity(*m, key);
  (void)unknown_required(*m);
  return 0;
}
