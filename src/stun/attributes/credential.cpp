#include "stun/attributes/credential.hpp"

#include <algorithm>

#include "stun/attributes/numbers.hpp"
#include "stun/wire.hpp"

namespace strata::stun {

base::result<userhash> userhash::decode(const attribute& a, const transaction_id&) {
  return detail::expect_length(a, 32, "32").map([&] {
    userhash u;
    std::copy_n(a.value.begin(), u.hash.size(), u.hash.begin());
    return u;
  });
}

base::result<password_algorithm> password_algorithm::decode(const attribute& a, const transaction_id&) {
  if (a.value.size() < 4) return base::fail(errc::bad_attribute_length, a.offset + 2, "at least 4");
  const std::size_t size = wire::u16(a.value, 2);
  // Whether the padding of the parameters counts is read both ways in the field; the algorithms in use have none.
  if (a.value.size() != 4 + size && a.value.size() != 4 + wire::padded(size)) {
    return base::fail(errc::bad_value, a.offset + 6, "parameters that fill the attribute");
  }
  return password_algorithm{static_cast<stun::algorithm>(wire::u16(a.value, 0)), a.value.subspan(4, size)};
}

void password_algorithm::encode(base::byte_writer& out, const transaction_id&) const {
  out.u16(static_cast<std::uint16_t>(algorithm));
  out.u16(static_cast<std::uint16_t>(parameters.size()));
  out.write(parameters);
}

std::optional<password_algorithm> password_algorithms::take(base::byte_view& rest) noexcept {
  if (rest.size() < 4) return std::nullopt;
  const std::size_t size = wire::u16(rest, 2);
  if (size > rest.size() - 4) return std::nullopt;
  const password_algorithm one{static_cast<stun::algorithm>(wire::u16(rest, 0)), rest.subspan(4, size)};
  rest = rest.subspan(std::min(rest.size(), 4 + wire::padded(size)));
  return one;
}

base::result<password_algorithms> password_algorithms::decode(const attribute& a, const transaction_id&) {
  base::byte_view rest = a.value;
  while (take(rest)) {
  }
  if (!rest.empty()) return base::fail(errc::bad_value, a.offset + 4 + a.value.size() - rest.size(), "a whole algorithm entry");
  return password_algorithms{a.value};
}

}  // namespace strata::stun
