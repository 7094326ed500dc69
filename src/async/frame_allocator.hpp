// Coroutine frames come from free lists of a few size classes and go back to them, so that a steady state
// allocates nothing. Under AddressSanitizer the lists are off: a recycled frame would hide a use after free.
#pragma once

#include <cstddef>

namespace strata::async {

void* allocate_frame(std::size_t size);
void release_frame(void* frame, std::size_t size) noexcept;

struct frame_statistics {
  std::size_t live = 0;      // frames that exist now
  std::size_t recycled = 0;  // allocations served from a free list
  std::size_t fresh = 0;     // allocations that went to the heap
};
frame_statistics frame_counts() noexcept;  // of the calling thread

}  // namespace strata::async
