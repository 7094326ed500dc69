#include "registry/guess_limits.hpp"

#include <algorithm>
#include <array>

namespace strata::registry {

guess_limits::source guess_limits::source_of(const base::ip_address& a) noexcept {
  const auto plain = a.unmapped();
  if (plain.is_v4()) return plain;
  std::array<std::uint8_t, 16> prefix{};
  std::ranges::copy(plain.octets().first(8), prefix.begin());
  return base::ip_address::v6(prefix);
}

void guess_limits::forget(base::instant now) {
  for (; !log_.empty() && log_.front().at + limit_.window <= now; log_.pop_front()) {
    const auto& old = log_.front();
    if (old.shared) --shared_;
    const auto at = tries_.find(old.from);
    at->second.pop_front();
    if (at->second.empty()) tries_.erase(at);
  }
}

bool guess_limits::is_vouched(const source& s, base::instant now) const {
  const auto at = vouched_.find(s);
  return at != vouched_.end() && now < at->second;
}

std::optional<base::duration> guess_limits::wait(const base::ip_address& from, base::instant now) {
  forget(now);
  const auto s = source_of(from);
  const auto left = [&](base::instant oldest) {
    return std::max<base::duration>(oldest + limit_.window - now, std::chrono::seconds(1));
  };
  if (const auto own = tries_.find(s); own != tries_.end() && own->second.size() >= limit_.per_address)
    return left(own->second.front());
  if (shared_ < limit_.total || is_vouched(s, now)) return std::nullopt;
  return left(std::ranges::find(log_, true, &try_::shared)->at);
}

void guess_limits::count(const base::ip_address& from, base::instant now) {
  forget(now);
  const auto s = source_of(from);
  const bool shared = !is_vouched(s, now);
  // Whoever does not ask wait() first is refused no harder, but does not make us remember more either.
  if (shared && shared_ >= limit_.total) return;
  auto& own = tries_[s];
  if (own.size() >= limit_.per_address) return;
  own.push_back(now);
  log_.push_back({s, now, shared});
  if (shared) ++shared_;
}

void guess_limits::vouch(const base::ip_address& from, base::instant now) {
  const auto s = source_of(from);
  if (const auto known = vouched_.find(s); known != vouched_.end()) {
    known->second = now + vouched_for;
    return;
  }
  if (vouched_.size() >= most_vouched) std::erase_if(vouched_, [&](const auto& v) { return v.second <= now; });
  if (vouched_.size() >= most_vouched)
    vouched_.erase(std::ranges::min_element(vouched_, {}, [](const auto& v) { return v.second; }));
  vouched_.emplace(s, now + vouched_for);
}

}  // namespace strata::registry
