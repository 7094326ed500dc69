// A store that remembers how it is doing: whether it takes writes, for /readyz and /metrics.
#pragma once

#include <memory>
#include <string>

#include "net/host.hpp"
#include "store/store.hpp"

namespace strata::registry {

class watched_store final : public store::engine {
 public:
  static constexpr std::string_view table = "operation";  // the record that probe() writes

  watched_store(net::host& h, std::unique_ptr<store::engine> inner) : host_(h), inner_(std::move(inner)) {}

  base::result<std::vector<store::record>> load(std::string_view name) override { return inner_->load(name); }
  async::task<base::result<void>> commit(store::changes c) override;

  // Why it cannot be written; empty when it can. Asks the disk itself when nothing was written for five seconds: whoever asks
  // more often gets the last answer.
  async::task<std::string> probe();

  [[nodiscard]] std::uint64_t commits() const noexcept { return commits_; }
  [[nodiscard]] std::uint64_t failures() const noexcept { return failures_; }

 private:
  net::host& host_;
  std::unique_ptr<store::engine> inner_;
  std::string trouble_;   // of the last commit
  base::instant last_{};  // when it ended
  bool asked_ = false, probing_ = false;
  std::uint64_t commits_ = 0, failures_ = 0;
};

}  // namespace strata::registry
