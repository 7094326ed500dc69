// The options of registryd's TURN server.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "registry/turn_service.hpp"

namespace strata::apps {

struct turn_options {
  std::string listen, tls, ports = "49152-65535", realm = "strata";
  std::vector<std::string> relay, allow, refuse;
  std::size_t allocations = turn::server::quotas{}.allocations, of_one_user = turn::server::quotas{}.allocations_of_one_user;
  std::uint64_t bytes_per_second = 0;

  // After parsing; nullopt without --turn.
  [[nodiscard]] std::optional<registry::turn_service_config> config() const;
};

// The options write into what is returned.
[[nodiscard]] std::shared_ptr<turn_options> add_turn_options(CLI::App& app);

}  // namespace strata::apps
