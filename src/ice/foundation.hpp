// Foundations group candidates that are likely to work, or to fail, together (RFC 8445 §5.1.1.3).
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "base/ip_address.hpp"
#include "ice/candidate.hpp"

namespace strata::ice {

// Two candidates get the same foundation exactly when type, base address, server address and transport are the same; and
// simultaneous open is a transport of its own here: where it is needed, connecting in one direction is what fails, slowly,
// and its pairs must not stay Frozen for that.
class foundations {
 public:
  [[nodiscard]] std::string of(candidate_type t, const base::ip_address& base_address,
                               const std::optional<base::ip_address>& server, transport p,
                               std::optional<tcp_type> direction = {}) {
    const key k{t, base_address, server, p, direction == tcp_type::simultaneous_open};
    for (std::size_t i = 0; i < known_.size(); ++i)
      if (known_[i] == k) return std::to_string(i + 1);
    known_.push_back(k);
    return std::to_string(known_.size());
  }

 private:
  using key = std::tuple<candidate_type, base::ip_address, std::optional<base::ip_address>, transport, bool>;
  std::vector<key> known_;
};

// RFC 8445 §7.3.1.3: a peer-reflexive remote candidate gets a foundation that no other remote candidate has.
[[nodiscard]] inline std::string unused_foundation(std::span<const candidate> remote) {
  for (std::size_t n = remote.size();; ++n) {
    auto text = "prflx" + std::to_string(n);
    bool used = false;
    for (const auto& c : remote) used = used || c.foundation == text;
    if (!used) return text;
  }
}

}  // namespace strata::ice
