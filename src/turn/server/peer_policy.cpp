#include "turn/server/peer_policy.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <span>

namespace strata::turn::server {
namespace {

using base::ip_address;

struct row {
  address_prefix prefix;
  address_class is;
};

// The first row that contains an address decides.
std::span<const row> v4_table() {
  using enum address_class;
  const auto v4 = [](int a, int b, int c, int d, std::uint8_t length) {
    return address_prefix{ip_address::v4(static_cast<std::uint8_t>(a), static_cast<std::uint8_t>(b),
                                         static_cast<std::uint8_t>(c), static_cast<std::uint8_t>(d)),
                          length};
  };
  static const std::array table{
      row{v4(0, 0, 0, 0, 8), unspecified},
      row{v4(10, 0, 0, 0, 8), private_use},
      row{v4(100, 64, 0, 0, 10), shared},
      row{v4(127, 0, 0, 0, 8), loopback},
      row{v4(169, 254, 0, 0, 16), link_local},
      row{v4(172, 16, 0, 0, 12), private_use},
      row{v4(192, 0, 0, 0, 24), reserved},
      row{v4(192, 0, 2, 0, 24), documentation},
      row{v4(192, 88, 99, 0, 24), reserved},
      row{v4(192, 168, 0, 0, 16), private_use},
      row{v4(198, 18, 0, 0, 15), benchmarking},
      row{v4(198, 51, 100, 0, 24), documentation},
      row{v4(203, 0, 113, 0, 24), documentation},
      row{v4(224, 0, 0, 0, 4), multicast},
      row{v4(255, 255, 255, 255, 32), broadcast},
      row{v4(240, 0, 0, 0, 4), reserved},
      // A public number that every virtual machine of one large cloud uses for its host.
      row{v4(168, 63, 129, 16, 32), link_local},
  };
  return table;
}

std::span<const row> v6_table() {
  using enum address_class;
  static const auto table = [] {
    const auto v6 = [](std::string_view text) { return *address_prefix::parse(text); };
    return std::array{
        row{v6("::/128"), unspecified},
        row{v6("::1/128"), loopback},
        // Nothing but another way to write an IPv4 address, which is judged by itself.
        row{v6("::/96"), global},
        row{v6("::ffff:0:0/96"), global},
        row{v6("::ffff:0:0:0/96"), global},
        row{v6("64:ff9b::/96"), global},
        row{v6("2001::/32"), global},
        row{v6("2001:2::/48"), benchmarking},
        row{v6("2001::/23"), reserved},
        row{v6("2001:db8::/32"), documentation},
        row{v6("3fff::/20"), documentation},
        row{v6("2000::/3"), global},
        row{v6("fc00::/7"), unique_local},
        row{v6("fe80::/10"), link_local},
        row{v6("fec0::/10"), link_local},
        row{v6("ff00::/8"), multicast},
    };
  }();
  return table;
}

ip_address v4_at(base::byte_view octets, std::size_t at, std::uint8_t inverted = 0) {
  const auto o = [&](std::size_t i) { return static_cast<std::uint8_t>(octets[at + i] ^ inverted); };
  return ip_address::v4(o(0), o(1), o(2), o(3));
}

bool in(const std::vector<address_prefix>& list, const ip_address& a) {
  return std::ranges::any_of(list, [&](const address_prefix& p) { return p.contains(a); });
}

}  // namespace

std::optional<address_prefix> address_prefix::parse(std::string_view text) {
  const auto slash = text.find('/');
  const auto a = ip_address::parse(text.substr(0, slash));
  if (!a || a->scope_id() != 0) return std::nullopt;
  const unsigned all = a->is_v4() ? 32 : 128;
  unsigned length = all;
  if (slash != std::string_view::npos) {
    const auto digits = text.substr(slash + 1);
    const auto [end, trouble] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
    if (trouble != std::errc() || end != digits.data() + digits.size() || length > all) return std::nullopt;
  }
  return address_prefix{*a, static_cast<std::uint8_t>(length)};
}

bool address_prefix::contains(const base::ip_address& a) const noexcept {
  if (a.family() != address.family()) return false;
  const auto mine = address.octets(), theirs = a.octets();
  const std::size_t whole = length / 8;
  for (std::size_t i = 0; i < whole; ++i)
    if (mine[i] != theirs[i]) return false;
  const unsigned rest = length % 8;
  return rest == 0 || ((mine[whole] ^ theirs[whole]) >> (8 - rest)) == 0;
}

std::string_view to_string(address_class c) noexcept {
  switch (c) {
    case address_class::global: return "global";
    case address_class::unspecified: return "unspecified";
    case address_class::loopback: return "loopback";
    case address_class::private_use: return "private";
    case address_class::shared: return "shared";
    case address_class::link_local: return "link-local";
    case address_class::unique_local: return "unique local";
    case address_class::documentation: return "documentation";
    case address_class::benchmarking: return "benchmarking";
    case address_class::multicast: return "multicast";
    case address_class::broadcast: return "broadcast";
    case address_class::reserved: return "reserved";
  }
  return "reserved";
}

address_class classify(const base::ip_address& a) noexcept {
  for (const auto& [prefix, is] : a.is_v4() ? v4_table() : v6_table())
    if (prefix.contains(a)) return is;
  // IPv4: what no registry sets apart is global. IPv6: only 2000::/3 has been given out.
  return a.is_v4() ? address_class::global : address_class::reserved;
}

std::vector<base::ip_address> embedded(const base::ip_address& a) {
  if (a.is_v4()) return {};
  const auto o = a.octets();
  const auto zero = [&](std::size_t from, std::size_t to) {
    return std::ranges::all_of(o.subspan(from, to - from), [](auto x) { return x == 0; });
  };
  std::vector<ip_address> inside;
  const bool compatible = zero(0, 12), mapped = zero(0, 10) && o[10] == 0xff && o[11] == 0xff,
             translated = zero(0, 8) && o[8] == 0xff && o[9] == 0xff && zero(10, 12);
  const bool nat64 = o[0] == 0 && o[1] == 0x64 && o[2] == 0xff && o[3] == 0x9b && zero(4, 12);
  if (compatible || mapped || translated || nat64) inside.push_back(v4_at(o, 12));
  if (o[0] == 0x20 && o[1] == 0x02) inside.push_back(v4_at(o, 2));
  if (o[0] == 0x20 && o[1] == 0x01 && zero(2, 4)) {
    inside.push_back(v4_at(o, 4));
    inside.push_back(v4_at(o, 12, 0xff));  // RFC 4380 §4: the client's address with every bit turned over
  }
  if ((o[8] & 0xfd) == 0 && o[9] == 0 && o[10] == 0x5e && o[11] == 0xfe) inside.push_back(v4_at(o, 12));
  return inside;
}

peer_policy peer_policy::everything() {
  return {.allowed = {{ip_address::any(base::ip_family::v4), 0}, {ip_address::any(base::ip_family::v6), 0}}, .refused = {}};
}

peer_verdict judge(const peer_policy& policy, const base::ip_address& peer) {
  auto all = embedded(peer);
  all.insert(all.begin(), peer);
  for (const auto& a : all) {
    const auto is = classify(a);
    if (in(policy.refused, a) || (is != address_class::global && !in(policy.allowed, a))) return {.admitted = false, .why = is};
  }
  return {.admitted = true};
}

}  // namespace strata::turn::server
