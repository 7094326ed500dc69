// Strong numbers: two ids of different kinds never mix, at no cost.
#pragma once

#include <compare>
#include <functional>

namespace strata::base {

template <class Tag, class Number>
struct strong {
  Number value{};
  constexpr strong() = default;
  constexpr explicit strong(Number n) : value(n) {}
  friend constexpr auto operator<=>(const strong&, const strong&) = default;
};

}  // namespace strata::base

template <class Tag, class Number>
struct std::hash<strata::base::strong<Tag, Number>> {
  std::size_t operator()(const strata::base::strong<Tag, Number>& id) const noexcept { return std::hash<Number>()(id.value); }
};
