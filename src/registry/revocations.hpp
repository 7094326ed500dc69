// Tokens that are void before they end. Each entry goes when no token that it could mean is good any more. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/time.hpp"
#include "registry/jwt.hpp"
#include "store/change.hpp"

namespace strata::registry {

class revocations {
 public:
  static constexpr std::string_view table = "revocations";  // name: "jti:<id>" or "peer:<peer id>"

  explicit revocations(std::size_t most_tokens = 10'000) : most_tokens_(most_tokens) {}

  base::result<void> load(std::span<const store::record> records);
  // One token. When there are too many of them the peer's others go as well, rather than this one staying good.
  [[nodiscard]] store::changes revoke_token(const claims& c, base::wall_time now);
  // Every token that the peer was given until now. Whole seconds: one that is given later in this second is void, too.
  [[nodiscard]] store::changes revoke_peer(std::string_view peer_id, base::wall_time now);
  [[nodiscard]] store::changes sweep(base::wall_time now);

  [[nodiscard]] bool cover(const claims& c) const;
  [[nodiscard]] std::size_t size() const noexcept { return tokens_.size() + peers_.size(); }

 private:
  struct peer_entry {
    std::int64_t issued_until, kept_until;  // seconds since 1970
  };
  store::change change(const std::string& jti, std::int64_t kept_until) const;
  store::change change(const std::string& peer_id, const peer_entry& e) const;

  std::size_t most_tokens_;
  std::map<std::string, std::int64_t, std::less<>> tokens_;  // jti to when it may be forgotten
  std::map<std::string, peer_entry, std::less<>> peers_;
};

}  // namespace strata::registry
