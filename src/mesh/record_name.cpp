#include "mesh/record_name.hpp"

#include <algorithm>
#include <charconv>

namespace strata::mesh {
namespace {

constexpr std::size_t stream_digits = 8, sequence_digits = 16;

template <class Number>
std::string hex(Number n, std::size_t digits) {
  char text[sequence_digits];
  const auto end = std::to_chars(text, text + sizeof text, n, 16).ptr;
  const auto size = static_cast<std::size_t>(end - text);
  return std::string(digits - size, '0').append(text, size);
}

template <class Number>
bool read(std::string_view text, std::size_t digits, Number& n) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n, 16);
  return text.size() == digits && error == std::errc() && end == text.data() + text.size();
}

}  // namespace

std::string to_name(std::string_view peer, record_name n) {
  auto name = std::string(peer) + ' ' + n.kind;
  if (n.kind != 'e') name += ' ' + hex(n.stream, stream_digits);
  if (n.kind == 'm') name += ' ' + hex(n.sequence, sequence_digits);
  return name;
}

bool belongs_to(std::string_view peer, std::string_view name) { return name.substr(0, name.find(' ')) == peer; }

std::optional<record_name> from_name(std::string_view peer, std::string_view name) {
  if (!belongs_to(peer, name) || name.size() < peer.size() + 2) return std::nullopt;
  record_name n;
  n.kind = name[peer.size() + 1];
  const auto rest = name.substr(peer.size() + 2);
  bool good = false;
  if (n.kind == 'e') {
    good = rest.empty();
  } else if (n.kind == 's') {
    good = rest.size() == 1 + stream_digits && read(rest.substr(1), stream_digits, n.stream);
  } else if (n.kind == 'm') {
    good = rest.size() == 2 + stream_digits + sequence_digits && read(rest.substr(1, stream_digits), stream_digits, n.stream) &&
           read(rest.substr(2 + stream_digits), sequence_digits, n.sequence);
  }
  if (!good || to_name(peer, n) != name) return std::nullopt;
  return n;
}

std::vector<std::string> peers_of(const std::vector<store::record>& records) {
  std::vector<std::string> peers;
  for (const auto& r : records) peers.push_back(r.name.substr(0, r.name.find(' ')));
  std::ranges::sort(peers);
  const auto rest = std::ranges::unique(peers);
  peers.erase(rest.begin(), rest.end());
  return peers;
}

}  // namespace strata::mesh
