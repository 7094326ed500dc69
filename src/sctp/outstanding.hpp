// How much of what each stream sent is still unacknowledged. The engine tells only the sum; that the oldest octets are
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
  void sent(stream_id s, std::size_t octets) {
    if (octets == 0) return;
    handed_ += octets;
    by_stream_[s] += octets;
    if (!runs_.empty() && runs_.back().stream == s) runs_.back().end = handed_;
    else runs_.push_back({s, handed_});
  }

  // The engine holds this much now. False: as much as before.
  bool held(std::size_t octets) {
    const auto acknowledged = octets < handed_ ? handed_ - octets : 0;
    if (acknowledged <= acknowledged_) return false;
    while (!runs_.empty() && acknowledged_ < acknowledged) {
      auto& run = runs_.front();
      const auto until = run.end < acknowledged ? run.end : acknowledged;
      take(run.stream, static_cast<std::size_t>(until - acknowledged_));
      acknowledged_ = until;
      if (run.end == until) runs_.pop_front();
    }
    return true;
  }

  [[nodiscard]] std::size_t total() const noexcept { return static_cast<std::size_t>(handed_ - acknowledged_); }
  [[nodiscard]] std::size_t of(stream_id s) const {
    const auto found = by_stream_.find(s);
    return found == by_stream_.end() ? 0 : found->second;
  }

 private:
  void take(stream_id s, std::size_t octets) {
    const auto found = by_stream_.find(s);
    if ((found->second -= octets) == 0) by_stream_.erase(found);
  }
  struct run {  // octets of one stream, up to this position
    stream_id stream;
    std::uint64_t end;
  };
  std::uint64_t handed_ = 0, acknowledged_ = 0;  // positions in all that was ever sent
  std::deque<run> runs_;
  std::unordered_map<stream_id, std::size_t> by_stream_;
};

}  // namespace strata::sctp
