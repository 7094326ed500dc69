#include "mesh/pieces.hpp"

#include <algorithm>
#include <utility>

namespace strata::mesh {

piece_bounds next_piece(std::uint32_t total, std::uint32_t offset, std::size_t most) noexcept {
  offset = std::min(offset, total);
  most = std::max<std::size_t>(most, smallest_piece);
  return {offset, static_cast<std::uint32_t>(std::min<std::size_t>(total - offset, most))};
}

bool budget::take(std::size_t octets) noexcept {
  if (octets > limit_ - used_) return false;
  used_ += octets;
  return true;
}

void budget::give_back(std::size_t octets) noexcept { used_ -= std::min(octets, used_); }

std::size_t assembly::add(std::uint32_t offset, base::byte_view piece) {
  if (offset > total_ || piece.size() > total_ - offset) return 0;
  const auto before = held_;
  auto at = offset;
  const auto end = offset + static_cast<std::uint32_t>(piece.size());
  while (at < end) {
    // The part at or before `at` may cover it; the next one bounds the hole.
    auto next = parts_.upper_bound(at);
    if (next != parts_.begin()) {
      const auto& [start, octets] = *std::prev(next);
      if (const auto covered = start + static_cast<std::uint32_t>(octets.size()); covered > at) {
        at = covered;
        continue;
      }
    }
    const auto hole_end = next == parts_.end() ? end : std::min(end, next->first);
    parts_.emplace_hint(next, at, base::to_bytes(piece.subspan(at - offset, hole_end - at)));
    held_ += hole_end - at;
    at = hole_end;
  }
  return held_ - before;
}

base::bytes assembly::take() {
  if (parts_.size() == 1) return std::move(parts_.begin()->second);
  base::bytes all;
  all.reserve(total_);
  for (const auto& [offset, octets] : parts_) base::append(all, octets);
  parts_.clear();
  return all;
}

}  // namespace strata::mesh
