// Which interfaces of the machine take part (RFC 8445 §19.1): what kind they are by their names, and the operator's word.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace strata::ice {

// Best first. A tunnel leads somewhere, but seldom by the shortest way; the bridge of a container engine leads to containers
// of this machine only, which reach its other addresses as well.
enum class interface_kind : std::uint8_t { ordinary, tunnel, container };
[[nodiscard]] interface_kind kind_of(std::string_view interface) noexcept;

// "*" stands for any text: "eth0", "wg*", "*".
[[nodiscard]] bool matches(std::string_view pattern, std::string_view interface) noexcept;

struct interface_list {
  std::vector<std::string> allow;  // empty: all but what is denied
  std::vector<std::string> deny;   // counts more than allow

  [[nodiscard]] bool permits(std::string_view interface) const noexcept;
  [[nodiscard]] bool names(std::string_view interface) const noexcept;  // allowed by a pattern of its own, not by default
};

}  // namespace strata::ice
