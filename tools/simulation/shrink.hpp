// Delta debugging (Zeller's ddmin): of a list that fails, a shorter one that fails too, such that no single element of it can
// be left out. Rules only; `fails` may be expensive, so it is bounded.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace strata::simulation {

template <class T, class Fails>
std::vector<T> shrink(std::vector<T> list, Fails fails, std::size_t most_trials = 200) {
  std::size_t pieces = 2;
  while (!list.empty() && most_trials != 0) {
    pieces = std::min(pieces, list.size());
    bool smaller = false;
    for (std::size_t n = 0; n < pieces && most_trials != 0; ++n) {
      const auto begin = list.begin() + static_cast<std::ptrdiff_t>(list.size() * n / pieces);
      const auto end = list.begin() + static_cast<std::ptrdiff_t>(list.size() * (n + 1) / pieces);
      std::vector<T> rest(list.begin(), begin);
      rest.insert(rest.end(), end, list.end());
      --most_trials;
      if (!fails(rest)) continue;
      list = std::move(rest);
      pieces = std::max<std::size_t>(pieces - 1, 2);
      smaller = true;
      break;
    }
    if (smaller) continue;
    if (pieces >= list.size()) break;
    pieces *= 2;
  }
  return list;
}

}  // namespace strata::simulation
