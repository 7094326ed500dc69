#include "stun/attributes/error.hpp"

#include "stun/attributes/text.hpp"

namespace strata::stun {
namespace {

// The class and number bytes; RFC 8489 §14.8: class 3–6, number 0–99, and the reserved bits before them are ignored.
base::result<int> decode_code(const attribute& a) {
  if (a.value.size() < 4) return base::fail(errc::bad_attribute_length, a.offset + 2, "at least 4");
  if (a.value.size() > 4 + largest_received_text) return base::fail(errc::bad_attribute_length, a.offset + 2, "at most 767");
  const int class_ = a.value[2] & 7, number = a.value[3];
  if (class_ < 3 || class_ > 6) return base::fail(errc::bad_value, a.offset + 6, "an error class from 3 to 6");
  if (number > 99) return base::fail(errc::bad_value, a.offset + 7, "an error number from 0 to 99");
  return class_ * 100 + number;
}

bool sendable_error(int code, std::string_view reason) noexcept {
  return code >= 300 && code <= 699 && count_characters(reason) < 128 && reason.size() <= largest_received_text;
}

void encode_error(base::byte_writer& out, std::uint8_t first, int code, std::string_view reason) {
  out.u8(first);
  out.u8(0);
  out.u8(static_cast<std::uint8_t>(code / 100));
  out.u8(static_cast<std::uint8_t>(code % 100));
  out.write(base::as_bytes(reason));
}

}  // namespace

base::result<error_code> error_code::decode(const attribute& a, const transaction_id&) {
  return decode_code(a).map([&](int code) { return error_code{code, base::as_text(a.value.subspan(4))}; });
}

bool error_code::sendable() const noexcept { return sendable_error(code, reason); }

void error_code::encode(base::byte_writer& out, const transaction_id&) const { encode_error(out, 0, code, reason); }

base::result<address_error_code> address_error_code::decode(const attribute& a, const transaction_id&) {
  const auto code = decode_code(a);
  if (!code) return base::fail(code.error());
  if (a.value[0] != 1 && a.value[0] != 2) return base::fail(errc::bad_address_family, a.offset + 4, "1 (IPv4) or 2 (IPv6)");
  return address_error_code{a.value[0] == 1 ? base::ip_family::v4 : base::ip_family::v6, *code,
                            base::as_text(a.value.subspan(4))};
}

bool address_error_code::sendable() const noexcept { return sendable_error(code, reason); }

void address_error_code::encode(base::byte_writer& out, const transaction_id&) const {
  encode_error(out, family == base::ip_family::v4 ? 1 : 2, code, reason);
}

base::result<unknown_attributes> unknown_attributes::decode(const attribute& a, const transaction_id&) {
  if (a.value.size() % 2 != 0) return base::fail(errc::bad_attribute_length, a.offset + 2, "an even number");
  return unknown_attributes{a.value};
}

}  // namespace strata::stun
