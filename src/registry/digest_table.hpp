// Things found by the digest of a secret, in a time that tells nothing about the secrets that are kept.
#pragma once

#include <cstdint>
#include <cstring>
#include <map>

#include "crypto/hmac.hpp"
#include "registry/credentials.hpp"

namespace strata::registry {

// The way to an entry goes by the first eight octets of a SHA-256, which whoever asks cannot steer and from which nothing
// follows about a key; the digest as a whole is compared in constant time, and compared even when there is nothing to compare
// with.
template <class T>
class digest_table {
 public:
  T* find(const secret_digest& d) noexcept { return const_cast<T*>(std::as_const(*this).find(d)); }
  const T* find(const secret_digest& d) const noexcept {
    static constexpr secret_digest nobody{};
    const auto [first, last] = entries_.equal_range(index(d));
    const T* found = nullptr;
    if (first == last) (void)crypto::constant_time_equal(nobody, d);
    for (auto at = first; at != last; ++at)
      if (crypto::constant_time_equal(at->second.digest, d)) found = &at->second.value;
    return found;
  }
  T& insert(const secret_digest& d, T value) { return entries_.emplace(index(d), entry{d, std::move(value)})->second.value; }
  void erase(const secret_digest& d) {
    const auto [first, last] = entries_.equal_range(index(d));
    for (auto at = first; at != last; ++at)
      if (at->second.digest == d) {
        entries_.erase(at);
        return;
      }
  }
  void clear() noexcept { entries_.clear(); }
  [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }

  template <class F>
  void each(F&& f) {
    for (auto& [unused, e] : entries_) f(e.digest, e.value);
  }
  template <class F>
  void each(F&& f) const {
    for (const auto& [unused, e] : entries_) f(e.digest, e.value);
  }

 private:
  struct entry {
    secret_digest digest;
    T value;
  };
  static std::uint64_t index(const secret_digest& d) noexcept {
    std::uint64_t i;
    std::memcpy(&i, d.data(), sizeof i);
    return i;
  }
  std::multimap<std::uint64_t, entry> entries_;
};

}  // namespace strata::registry
