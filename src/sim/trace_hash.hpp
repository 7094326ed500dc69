// FNV-1a over everything that happens on the wires: two runs with one hash were the same run.
#pragma once

#include <cstdint>

#include "base/bytes.hpp"
#include "base/endpoint.hpp"

namespace strata::sim {

class trace_hash {
 public:
  void add(base::byte_view data) noexcept {
    for (const auto octet : data) value_ = (value_ ^ octet) * 1099511628211u;
  }
  void add(std::uint64_t number) noexcept {
    for (int i = 0; i < 8; ++i) value_ = (value_ ^ (number >> i * 8 & 0xff)) * 1099511628211u;
  }
  void add(const base::endpoint& e) noexcept {
    add(e.address.octets());
    add(std::uint64_t{e.port});
  }
  [[nodiscard]] std::uint64_t value() const noexcept { return value_; }

 private:
  std::uint64_t value_ = 14695981039346656037u;
};

}  // namespace strata::sim
