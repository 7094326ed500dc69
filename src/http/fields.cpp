#include "http/fields.hpp"

#include <algorithm>

#include "http/grammar.hpp"

namespace strata::http {

void fields::set(std::string_view name, std::string_view value) {
  remove(name);
  add(name, value);
}

void fields::remove(std::string_view name) {
  std::erase_if(list_, [&](const field& f) { return equal_ignoring_case(f.name, name); });
}

std::size_t fields::count(std::string_view name) const noexcept {
  return static_cast<std::size_t>(
      std::count_if(list_.begin(), list_.end(), [&](const field& f) { return equal_ignoring_case(f.name, name); }));
}

std::optional<std::string_view> fields::single(std::string_view name) const noexcept {
  if (count(name) != 1) return std::nullopt;
  return get(name);
}

std::string_view fields::get(std::string_view name) const noexcept {
  for (const auto& f : list_)
    if (equal_ignoring_case(f.name, name)) return f.value;
  return {};
}

bool fields::lists(std::string_view name, std::string_view token) const noexcept {
  bool found = false;
  for (const auto& f : list_)
    if (equal_ignoring_case(f.name, name))
      for_each_element(f.value, [&](std::string_view e) { found = found || equal_ignoring_case(e, token); });
  return found;
}

bool fields::valid() const noexcept {
  return std::all_of(list_.begin(), list_.end(), [](const field& f) { return is_token(f.name) && is_field_value(f.value); });
}

}  // namespace strata::http
