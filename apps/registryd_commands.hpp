// What an operator asks of a registryd beside running it: pairings, over its API with an admin's key; the audit log, in its
// store.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>

#include "registry/service.hpp"

namespace strata::apps {

class registryd_commands {
 public:
  explicit registryd_commands(CLI::App& app);

  // The exit code, when one of these commands was given.
  std::optional<int> run(const registry::service_config& c) const;

 private:
  [[nodiscard]] int pair() const;
  static int verify(const registry::service_config& c);

  CLI::App *pairing_, *list_, *code_, *approve_, *reject_, *revoke_, *audit_, *verify_;
  std::string url_ = "http://127.0.0.1:8080", id_, trust_file_;
};

}  // namespace strata::apps
