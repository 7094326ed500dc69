// Puts messages together from the pieces in which an engine delivers long ones. Memory is bounded by the largest message
// allowed for each stream that has one in the making; an engine without interleaving makes one at a time.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <utility>

#include "base/bytes.hpp"
#include "sctp/message.hpp"

namespace strata::sctp {

class reassembly {
 public:
  explicit reassembly(std::size_t limit) noexcept : limit_(limit) {}
  void set_limit(std::size_t octets) noexcept { limit_ = octets; }

  enum class outcome : std::uint8_t { more, complete, too_large };  // too_large: told once, the rest is thrown away
  struct piece {
    stream_id stream;
    ppid protocol;
    bool ordered = true;
    bool last = true;
    base::byte_view data;
  };
  std::pair<outcome, std::optional<message_in>> add(const piece& p) {
    const key k{p.stream, p.ordered};
    const auto found = begun_.find(k);
    if (found == begun_.end() && p.data.size() <= limit_ && p.last)
      return {outcome::complete, message_in{p.stream, p.protocol, base::to_bytes(p.data), p.ordered}};
    auto& m = found != begun_.end() ? found->second : begun_.try_emplace(k, begun{p.protocol, {}, false}).first->second;
    const bool was_discarded = m.discard;
    if (!m.discard && m.data.size() + p.data.size() > limit_) {
      m.discard = true;
      m.data = {};
    }
    if (!m.discard) base::append(m.data, p.data);
    auto what = m.discard && !was_discarded ? outcome::too_large : outcome::more;
    std::optional<message_in> done;
    if (p.last) {
      if (!m.discard) {
        what = outcome::complete;
        done = message_in{p.stream, m.protocol, std::move(m.data), p.ordered};
      }
      begun_.erase(k);
    }
    return {what, std::move(done)};
  }

  // The sender gave up a message of which a part has arrived (RFC 3758 §3.6), or started the stream anew.
  void abandon(stream_id s) {
    begun_.erase({s, true});
    begun_.erase({s, false});
  }

 private:
  using key = std::pair<stream_id, bool>;
  struct begun {
    ppid protocol;
    base::bytes data;
    bool discard;
  };
  std::size_t limit_;
  std::map<key, begun> begun_;
};

}  // namespace strata::sctp
