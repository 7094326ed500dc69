// result<T>: a value or a base::error. The one alias over tl::expected.
#pragma once

#include <tl/expected.hpp>

#include "base/error.hpp"

namespace strata::base {

template <class T>
using result = tl::expected<T, error>;

// return fail(stun::errc::truncated, offset, "a 20-byte header");
template <class Code>
[[nodiscard]] tl::unexpected<error> fail(Code code, std::size_t offset = error::nowhere, std::string_view expected = {}) {
  return tl::unexpected<error>(error(code, offset, expected));
}
[[nodiscard]] inline tl::unexpected<error> fail(error e) { return tl::unexpected<error>(e); }

}  // namespace strata::base
