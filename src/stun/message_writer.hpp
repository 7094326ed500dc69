// Builds a STUN message at the end of the caller's buffer (diagrams: message_view.hpp).
//
//   message_writer w(out, {message_class::request, method::binding}, id);
//   w.add(username{"bob:alice"}).add(priority{1853824767});
//   w.integrity(key).fingerprint();
//   if (auto ok = w.status(); !ok) …
//
// The header's length is right after every step, so a message without integrity needs no closing step. What closes a message
// gives back a type that offers only what may still follow (RFC 8489 §14.5–14.7).
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/byte_writer.hpp"
#include "base/bytes.hpp"
#include "base/result.hpp"
#include "stun/credentials.hpp"
#include "stun/message_view.hpp"

namespace strata::stun {

class message_writer {
 public:
  message_writer(base::bytes& out, message_type type, const transaction_id& id);
  message_writer(const message_writer&) = delete;
  message_writer& operator=(const message_writer&) = delete;

  // An attribute that the RFC does not allow to be sent like this (too long, a value out of range) is left out, and
  // status() says so from then on.
  template <class Attribute>
  message_writer& add(const Attribute& a) {
    if constexpr (requires { a.sendable(); }) {
      if (!a.sendable()) {
        refuse(errc::too_long);
        return *this;
      }
    }
    const auto at = open(Attribute::type);
    base::byte_writer w(out_);
    a.encode(w, id_);
    close(at);
    return *this;
  }
  // An attribute by number, for what has no type here.
  message_writer& add(attribute_type type, base::byte_view value);

  class after_sha256 {
   public:
    void fingerprint() { writer_.fingerprint(); }

   private:
    friend class message_writer;
    explicit after_sha256(message_writer& w) noexcept : writer_(w) {}
    message_writer& writer_;
  };
  class after_integrity {
   public:
    after_sha256 integrity_sha256(const integrity_key& key) { return writer_.integrity_sha256(key); }
    void fingerprint() { writer_.fingerprint(); }

   private:
    friend class message_writer;
    explicit after_integrity(message_writer& w) noexcept : writer_(w) {}
    message_writer& writer_;
  };

  after_integrity integrity(const integrity_key& key);
  // `length`: 16–32 in steps of four; less than 32 only where the usage says so (RFC 8489 §14.6).
  after_sha256 integrity_sha256(const integrity_key& key, std::size_t length = 32);
  void fingerprint();

  [[nodiscard]] base::result<void> status() const;
  [[nodiscard]] std::size_t size() const noexcept { return out_.size() - start_; }
  [[nodiscard]] base::byte_view bytes() const noexcept { return base::byte_view(out_).subspan(start_); }

 private:
  enum class stage : std::uint8_t { open, integrity, sha256, fingerprint };
  std::size_t open(attribute_type type);
  void close(std::size_t at);
  void refuse(errc e);
  void set_length(std::size_t size);

  base::bytes& out_;
  std::size_t start_;
  transaction_id id_;
  stage stage_ = stage::open;
  std::optional<errc> failure_;
};

}  // namespace strata::stun
