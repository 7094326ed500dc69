// A STUN message in a borrowed buffer, validated once and then read without any further check (RFC 8489 §5, §14).
//
//      0                   1                   2                   3
//      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//     |0 0|     STUN Message Type     |         Message Length        |
//     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//     |                   Magic Cookie 0x2112A442                     |
//     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//     |                     Transaction ID (96 bits)                  |
//     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//     |         Type                  |            Length             |  attributes: each padded to 32 bits,
//     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+  the length counts the value alone
//     |                         Value (variable)                ....
//     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//
// The view is about form. Whether a message may come without integrity, or whether its attributes make sense together,
// is for those who use it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "stun/attribute_type.hpp"
#include "stun/error.hpp"
#include "stun/message_type.hpp"
#include "stun/transaction_id.hpp"

namespace strata::stun {

inline constexpr std::uint32_t magic_cookie = 0x2112a442;
inline constexpr std::size_t header_size = 20;

// A quick look for demultiplexing: top bits, cookie and an aligned length. parse() says the rest.
[[nodiscard]] bool is_stun(base::byte_view datagram) noexcept;

struct attribute {
  attribute_type type{};
  std::size_t offset = 0;  // of the attribute's header in the message; the value begins four bytes later
  base::byte_view value;   // without padding
  bool ignored = false;    // RFC 8489 §14.5, §14.6: it follows an integrity attribute that does not cover it
};

class message_view {
 public:
  // The whole buffer has to be one message: trailing bytes are an error, as missing ones are.
  [[nodiscard]] static base::result<message_view> parse(base::byte_view datagram);
  // RFC 8489 §12: a message of RFC 3489 has 128 random bits and no cookie. For servers that still answer those.
  [[nodiscard]] static base::result<message_view> parse_without_cookie(base::byte_view datagram);

  [[nodiscard]] message_type type() const noexcept;
  [[nodiscard]] message_class class_() const noexcept { return type().class_; }
  [[nodiscard]] stun::method method() const noexcept { return type().method; }
  [[nodiscard]] bool is(message_class c, stun::method m) const noexcept { return type() == message_type{c, m}; }
  [[nodiscard]] bool is_response() const noexcept { return (static_cast<unsigned>(class_()) & 2) != 0; }
  [[nodiscard]] stun::transaction_id transaction_id() const noexcept;
  [[nodiscard]] base::byte_view bytes() const noexcept { return data_; }
  [[nodiscard]] bool has_cookie() const noexcept;

  class iterator;
  // Every attribute in the order of the wire, the ignored ones marked.
  [[nodiscard]] iterator begin() const noexcept;
  [[nodiscard]] std::default_sentinel_t end() const noexcept { return {}; }

  // The first that is not ignored: RFC 8489 §14 lets a receiver process only the first of several equals.
  [[nodiscard]] std::optional<attribute> find(attribute_type t) const noexcept;
  [[nodiscard]] bool has(attribute_type t) const noexcept { return find(t).has_value(); }

  // The decoded first attribute of that type: errc::missing_attribute, or what its decode() found wrong.
  template <class Attribute>
  [[nodiscard]] base::result<Attribute> get() const {
    const auto a = find(Attribute::type);
    if (!a) return base::fail(errc::missing_attribute);
    return Attribute::decode(*a, transaction_id());
  }

  // Offsets of the headers of the attributes that close a message; nullopt when they are not there.
  [[nodiscard]] std::optional<std::size_t> integrity_offset() const noexcept { return offset(integrity_); }
  [[nodiscard]] std::optional<std::size_t> integrity_sha256_offset() const noexcept { return offset(integrity_sha256_); }
  [[nodiscard]] std::optional<std::size_t> fingerprint_offset() const noexcept { return offset(fingerprint_); }

 private:
  explicit message_view(base::byte_view data) noexcept : data_(data) {}
  [[nodiscard]] static base::result<message_view> parse_after_cookie(base::byte_view datagram);
  static std::optional<std::size_t> offset(std::uint32_t at) noexcept {
    return at == 0 ? std::nullopt : std::optional<std::size_t>(at);
  }

  base::byte_view data_;
  std::uint32_t integrity_ = 0, integrity_sha256_ = 0, fingerprint_ = 0;  // 0: absent
};

class message_view::iterator {
 public:
  using value_type = attribute;
  using difference_type = std::ptrdiff_t;

  iterator() = default;
  [[nodiscard]] attribute operator*() const noexcept;
  iterator& operator++() noexcept;
  iterator operator++(int) noexcept {
    auto before = *this;
    ++*this;
    return before;
  }
  friend bool operator==(const iterator& a, const iterator& b) noexcept { return a.at_ == b.at_; }
  friend bool operator==(const iterator& i, std::default_sentinel_t) noexcept { return i.at_ >= i.message_->data_.size(); }

 private:
  friend class message_view;
  iterator(const message_view& m, std::size_t at) noexcept : message_(&m), at_(at) {}
  const message_view* message_ = nullptr;
  std::size_t at_ = 0;
};

inline message_view::iterator message_view::begin() const noexcept { return {*this, header_size}; }

}  // namespace strata::stun
