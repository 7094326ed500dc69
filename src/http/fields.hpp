// The fields of a head (RFC 9110 §5): ordered, names compared without case, a name may come several times.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace strata::http {

struct field {
  std::string name, value;
  friend bool operator==(const field&, const field&) = default;
};

class fields {
 public:
  fields() = default;
  fields(std::initializer_list<field> list) : list_(list) {}  // {{"Accept", "text/plain"}}

  void add(std::string_view name, std::string_view value) { list_.push_back({std::string(name), std::string(value)}); }
  void set(std::string_view name, std::string_view value);  // in the place of all of that name
  void remove(std::string_view name);

  [[nodiscard]] std::size_t count(std::string_view name) const noexcept;
  [[nodiscard]] bool contains(std::string_view name) const noexcept { return count(name) != 0; }
  // The value when the name comes exactly once; what comes twice and should not is as good as absent.
  [[nodiscard]] std::optional<std::string_view> single(std::string_view name) const noexcept;
  // The first value, or empty.
  [[nodiscard]] std::string_view get(std::string_view name) const noexcept;
  // Is the token an element of the comma-separated list that all fields of the name make together? Case is ignored.
  [[nodiscard]] bool lists(std::string_view name, std::string_view token) const noexcept;

  [[nodiscard]] auto begin() const noexcept { return list_.begin(); }
  [[nodiscard]] auto end() const noexcept { return list_.end(); }
  [[nodiscard]] std::size_t size() const noexcept { return list_.size(); }
  [[nodiscard]] bool valid() const noexcept;  // every name and value may stand on the wire

  friend bool operator==(const fields&, const fields&) = default;

 private:
  std::vector<field> list_;
};

}  // namespace strata::http
