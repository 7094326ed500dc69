#include "async/frame_allocator.hpp"

#include <array>
#include <new>

namespace strata::async {
namespace {

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
constexpr bool recycle = false;
#else
constexpr bool recycle = true;
#endif
#else
constexpr bool recycle = true;
#endif

constexpr std::size_t step = 64;
constexpr std::size_t classes = 64;  // up to 4 KiB; larger frames are rare and go to the heap
constexpr std::size_t kept_per_class = 256;

struct free_frame {
  free_frame* next;
};

struct pool {
  struct list {
    free_frame* first = nullptr;
    std::size_t length = 0;
  };
  std::array<list, classes> lists;
  frame_statistics counts;

  ~pool() {
    for (auto& l : lists)
      while (l.first != nullptr) {
        auto* next = l.first->next;
        ::operator delete(l.first);
        l.first = next;
      }
  }
};

thread_local pool frames;

constexpr std::size_t class_of(std::size_t size) { return (size + step - 1) / step - 1; }

}  // namespace

void* allocate_frame(std::size_t size) {
  ++frames.counts.live;
  const auto c = class_of(size);
  if (recycle && c < classes) {
    auto& list = frames.lists[c];
    if (list.first != nullptr) {
      ++frames.counts.recycled;
      auto* frame = list.first;
      list.first = frame->next;
      --list.length;
      return frame;
    }
    ++frames.counts.fresh;
    return ::operator new((c + 1) * step);
  }
  ++frames.counts.fresh;
  return ::operator new(size);
}

void release_frame(void* frame, std::size_t size) noexcept {
  --frames.counts.live;
  const auto c = class_of(size);
  if (recycle && c < classes && frames.lists[c].length < kept_per_class) {
    auto& list = frames.lists[c];
    list.first = new (frame) free_frame{list.first};
    ++list.length;
    return;
  }
  ::operator delete(frame);
}

frame_statistics frame_counts() noexcept { return frames.counts; }

}  // namespace strata::async
