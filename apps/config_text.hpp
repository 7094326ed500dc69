// The text of a daemon's configuration file: the flat part of TOML 1.0. `key = value`, comments, values that are strings,
// numbers, true or false, and arrays of them over any number of lines. No sections: the daemons have none.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

namespace strata::apps {

struct config_entry {
  std::string key;
  std::vector<std::string> values;  // one, or those of an array
  std::size_t line = 0;             // from 1
};

// What is wrong comes as "line 3: …".
tl::expected<std::vector<config_entry>, std::string> read_config(std::string_view text);

// The text as a TOML string.
std::string config_string(std::string_view text);

}  // namespace strata::apps
