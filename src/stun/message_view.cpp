#include "stun/message_view.hpp"

#include <algorithm>

#include "stun/wire.hpp"

namespace strata::stun {
namespace {

using wire::padded;
using wire::u16;
using wire::u32;

constexpr std::size_t attribute_header = 4;

// RFC 8489 §14.5–14.7: how long the closing attributes may be. Zero: any length.
bool closing_length_fits(attribute_type t, std::size_t length) noexcept {
  switch (t) {
    case attribute_type::message_integrity: return length == 20;
    case attribute_type::message_integrity_sha256: return length >= 16 && length <= 32 && length % 4 == 0;
    case attribute_type::fingerprint: return length == 4;
    default: return true;
  }
}

}  // namespace

bool is_stun(base::byte_view d) noexcept {
  return d.size() >= header_size && (d[0] & 0xc0) == 0 && u32(d, 4) == magic_cookie && (d[3] & 3) == 0;
}

base::result<message_view> message_view::parse(base::byte_view d) {
  if (d.size() < header_size) return base::fail(errc::too_short, d.size(), "a 20-byte header");
  if ((d[0] & 0xc0) != 0) return base::fail(errc::not_stun, 0, "two zero bits");
  if (u32(d, 4) != magic_cookie) return base::fail(errc::bad_cookie, 4, "0x2112A442");
  return parse_after_cookie(d);
}

base::result<message_view> message_view::parse_without_cookie(base::byte_view d) {
  if (d.size() < header_size) return base::fail(errc::too_short, d.size(), "a 20-byte header");
  if ((d[0] & 0xc0) != 0) return base::fail(errc::not_stun, 0, "two zero bits");
  return parse_after_cookie(d);
}

base::result<message_view> message_view::parse_after_cookie(base::byte_view d) {
  const std::size_t length = u16(d, 2);
  // RFC 8489 §5: all attributes are padded, so the two low bits are zero; another way to tell STUN from other data.
  if (length % 4 != 0) return base::fail(errc::unaligned_length, 2, "a multiple of four");
  if (length != d.size() - header_size) return base::fail(errc::length_mismatch, 2, "the number of bytes after the header");

  message_view m(d);
  for (std::size_t at = header_size; at < d.size();) {
    // The length is a multiple of four, so an attribute header is always whole.
    const auto type = static_cast<attribute_type>(u16(d, at));
    const std::size_t size = u16(d, at + 2);
    if (size > d.size() - at - attribute_header) {
      return base::fail(errc::truncated_attribute, at, "a value that ends within the message");
    }
    // RFC 8489 §14.7: FINGERPRINT is the last attribute.
    if (m.fingerprint_ != 0) return base::fail(errc::misplaced_fingerprint, at, "the end of the message");
    const auto here = static_cast<std::uint32_t>(at);
    if (type == attribute_type::fingerprint) {
      m.fingerprint_ = here;
    } else if (type == attribute_type::message_integrity_sha256 && m.integrity_sha256_ == 0) {
      m.integrity_sha256_ = here;
    } else if (type == attribute_type::message_integrity && m.integrity_ == 0 && m.integrity_sha256_ == 0) {
      m.integrity_ = here;
    } else {
      at += attribute_header + padded(size);
      continue;
    }
    if (!closing_length_fits(type, size)) {
      return base::fail(errc::bad_attribute_length, at + 2,
                        type == attribute_type::fingerprint         ? "4"
                        : type == attribute_type::message_integrity ? "20"
                                                                    : "16 to 32 in steps of four");
    }
    at += attribute_header + padded(size);
  }
  return m;
}

message_type message_view::type() const noexcept { return message_type::decode(u16(data_, 0)); }

bool message_view::has_cookie() const noexcept { return u32(data_, 4) == magic_cookie; }

transaction_id message_view::transaction_id() const noexcept {
  stun::transaction_id id;
  std::copy_n(data_.begin() + 8, id.size(), id.begin());
  return id;
}

std::optional<attribute> message_view::find(attribute_type t) const noexcept {
  for (const auto& a : *this) {
    if (a.type == t && !a.ignored) return a;
  }
  return std::nullopt;
}

attribute message_view::iterator::operator*() const noexcept {
  const auto d = message_->data_;
  attribute a;
  a.type = static_cast<attribute_type>(u16(d, at_));
  a.offset = at_;
  a.value = d.subspan(at_ + attribute_header, u16(d, at_ + 2));
  // RFC 8489 §14.5, §14.6: MESSAGE-INTEGRITY may be followed by MESSAGE-INTEGRITY-SHA256 and FINGERPRINT, the SHA256 one by
  // FINGERPRINT; anything else there is not protected and has no effect.
  const auto& m = *message_;
  const bool after_integrity =
      (m.integrity_ != 0 && at_ > m.integrity_) || (m.integrity_sha256_ != 0 && at_ > m.integrity_sha256_);
  a.ignored = after_integrity && at_ != m.integrity_sha256_ && at_ != m.fingerprint_;
  return a;
}

message_view::iterator& message_view::iterator::operator++() noexcept {
  at_ += attribute_header + padded(u16(message_->data_, at_ + 2));
  return *this;
}

}  // namespace strata::stun
