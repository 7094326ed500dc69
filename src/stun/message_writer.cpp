#include "stun/message_writer.hpp"

#include "stun/fingerprint.hpp"
#include "stun/wire.hpp"

namespace strata::stun {

message_writer::message_writer(base::bytes& out, message_type type, const stun::transaction_id& id)
    : out_(out), start_(out.size()), id_(id) {
  base::byte_writer w(out_);
  w.u16(type.encode());
  w.u16(0);
  w.u32(magic_cookie);
  w.write(id);
}

std::size_t message_writer::open(attribute_type type) {
  assert(stage_ == stage::open && "an attribute after integrity would be ignored");
  const auto at = out_.size();
  base::byte_writer w(out_);
  w.u16(static_cast<std::uint16_t>(type));
  w.u16(0);
  return at;
}

// RFC 8489 §14: the length is the value's, the padding is zero and counts for the message only.
void message_writer::close(std::size_t at) {
  const auto size = out_.size() - at - 4;
  base::byte_writer w(out_);
  w.fill(wire::padded(size) - size);
  if (size > 0xffff || this->size() - header_size > 0xffff) {
    out_.resize(at);
    refuse(errc::too_long);
    return;
  }
  w.patch_u16(at + 2, static_cast<std::uint16_t>(size));
  set_length(this->size());
}

void message_writer::set_length(std::size_t size) {
  base::byte_writer(out_).patch_u16(start_ + 2, static_cast<std::uint16_t>(size - header_size));
}

void message_writer::refuse(errc e) {
  if (!failure_) failure_ = e;
}

message_writer& message_writer::add(attribute_type type, base::byte_view value) {
  const auto at = open(type);
  base::append(out_, value);
  close(at);
  return *this;
}

message_writer::after_integrity message_writer::integrity(const integrity_key& key) {
  const auto at = open(attribute_type::message_integrity);
  const auto mac = integrity_sha1(bytes().first(at - start_), at - start_ + 24, key);
  base::append(out_, mac);
  close(at);
  stage_ = stage::integrity;
  return after_integrity(*this);
}

message_writer::after_sha256 message_writer::integrity_sha256(const integrity_key& key, std::size_t length) {
  assert(stage_ <= stage::integrity && length >= 16 && length <= 32 && length % 4 == 0);
  stage_ = stage::open;
  const auto at = open(attribute_type::message_integrity_sha256);
  const auto mac = stun::integrity_sha256(bytes().first(at - start_), at - start_ + 4 + length, key);
  base::append(out_, base::byte_view(mac).first(length));
  close(at);
  stage_ = stage::sha256;
  return after_sha256(*this);
}

void message_writer::fingerprint() {
  assert(stage_ < stage::fingerprint);
  stage_ = stage::open;
  // RFC 8489 §14.7: the checksum covers the header with the length that counts the FINGERPRINT itself.
  set_length(size() + 8);
  const auto crc = fingerprint_of(bytes());
  const auto at = open(attribute_type::fingerprint);
  base::byte_writer(out_).u32(crc);
  close(at);
  stage_ = stage::fingerprint;
}

base::result<void> message_writer::status() const {
  if (failure_) return base::fail(*failure_, start_, "attributes within their limits");
  return {};
}

}  // namespace strata::stun
