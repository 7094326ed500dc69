// A ClientHello that comes in pieces, made whole before mbedTLS sees it.
//
// RFC 6347 §4.2.3 lets any handshake message be cut into fragments, the ClientHello too. mbedTLS 2.28 reassembles all
// others but takes a fragmented ClientHello for a broken one and gives the handshake up. Browsers cut theirs always: with
// the key share of X25519MLKEM768 in it, Chromium's has 1413 bytes (fragments of 1175 and 238) and Firefox's 1461.
//
// The transcript hash covers the message as if it had come whole (RFC 6347 §4.2.6), so nobody can tell the difference.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "dtls/record.hpp"

namespace strata::dtls {

class client_hello_reassembly {
 public:
  // Nobody's hello is near this; a peer that has proved nothing gets no more memory.
  static constexpr std::size_t largest_hello = 8192;
  static constexpr std::size_t smallest_hello = 42;  // version, random, and four empty or one-entry vectors
  static constexpr std::size_t most_gaps = 32;

  enum class verdict : std::uint8_t {
    not_a_hello,  // no ClientHello in the clear inside: none of our business
    incomplete,   // fragments kept
    complete,     // `datagram` holds one record with one whole ClientHello
    refused,      // `why`; nothing was kept
  };
  struct outcome {
    verdict what;
    base::byte_view datagram = {};  // the input, or memory of this object until the next call
    std::string_view why = {};
  };

  // The fragments may come in any order, overlap, repeat, and lie in one record, several records or several datagrams.
  // A fragment of another message (RFC 6347 §4.2.1: the second ClientHello, with the cookie) or one that contradicts
  // what is there begins a new assembly: whoever sends nonsense delays the handshake, but cannot block it, because the
  // peer's retransmission begins afresh as well.
  outcome take(base::byte_view datagram);

  [[nodiscard]] std::size_t held_bytes() const noexcept { return body_.size(); }
  [[nodiscard]] bool invariant() const noexcept;

 private:
  struct range {  // [from, to), present
    std::size_t from, to;
  };
  enum class added : std::uint8_t { more_to_come, all, too_many_gaps };

  added add(const handshake_fragment& f, const record_view& r);
  void begin(const handshake_fragment& f);
  [[nodiscard]] bool continues(const handshake_fragment& f) const noexcept;
  [[nodiscard]] bool insert(range r);
  base::byte_view finish();
  void clear() noexcept;

  bool active_ = false;
  std::uint16_t message_sequence_ = 0;
  std::uint16_t version_ = 0;
  std::uint64_t record_sequence_ = 0;  // the highest of the fragments' records: mbedTLS checks it for replay
  base::bytes body_;
  std::vector<range> present_;  // sorted, disjoint, not touching
  base::bytes out_;
};

}  // namespace strata::dtls
