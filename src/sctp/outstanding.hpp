// How much of what each stream sent is still unacknowledged. The engine tells only the sum of octets; that the oldest are
// acknowledged first is an assumption, which is exact for one busy stream and ends at zero for all of them together.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <unordered_map>

#include "sctp/message.hpp"

namespace strata::sctp {

class outstanding {
 public:
  struct amount {
    std::size_t octets = 0;
    std::size_t messages = 0;  // begun and not all acknowledged; a piece counts as one
  };

  void sent(stream_id s, std::size_t octets) {
    if (octets == 0) return;
    handed_ += octets;
    auto& a = by_stream_[s];
    a.octets += octets;
    ++a.messages;
    pieces_.push_back({s, handed_});
  }

  // The engine holds this much now. False: as much as before, or more than we know of.
  bool held(std::size_t octets) {
    const auto acknowledged = octets < handed_ ? handed_ - octets : 0;
    if (acknowledged <= acknowledged_) return false;
    while (!pieces_.empty() && acknowledged_ < acknowledged) {
      const auto& p = pieces_.front();
      const auto until = p.end < acknowledged ? p.end : acknowledged;
      const auto found = by_stream_.find(p.stream);
      found->second.octets -= static_cast<std::size_t>(until - acknowledged_);
      acknowledged_ = until;
      if (p.end != until) break;
      if (--found->second.messages == 0) by_stream_.erase(found);
      pieces_.pop_front();
    }
    return true;
  }

  [[nodiscard]] amount total() const noexcept { return {static_cast<std::size_t>(handed_ - acknowledged_), pieces_.size()}; }
  [[nodiscard]] amount of(stream_id s) const {
    const auto found = by_stream_.find(s);
    return found == by_stream_.end() ? amount{} : found->second;
  }

 private:
  struct piece {
    stream_id stream;
    std::uint64_t end;  // its last octet's position in all that was ever sent, plus one
  };
  std::uint64_t handed_ = 0, acknowledged_ = 0;
  std::deque<piece> pieces_;
  std::unordered_map<stream_id, amount> by_stream_;
};

}  // namespace strata::sctp
