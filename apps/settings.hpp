// Where a daemon's settings come from, the same for both: a flag beats the environment, the environment beats the file of
// --config, the file beats what is built in. A name that nobody knows is an error wherever it stands.
#pragma once

#include <CLI/CLI.hpp>
#include <list>
#include <map>
#include <optional>
#include <string>

namespace strata::apps {

class settings {
 public:
  // Adds --config, --print-config, --log-level, --log-format and --quiet. `app` outlives this.
  settings(CLI::App& app, std::string program);
  settings(const settings&) = delete;
  settings& operator=(const settings&) = delete;

  // Something that must not be seen: the value in the environment variable, or a file whose first line it is, named by
  // --NAME-file, by VARIABLE_FILE or in the file of --config. Never a flag, which everybody on the machine could read. `into`
  // outlives this; parse() fills it.
  void secret(std::string name, std::string variable, std::string& into, const std::string& what);

  // Nothing: go on. Otherwise the program ends with this code; what there was to say has been said.
  std::optional<int> parse(int argc, char** argv);

  // Reads the log level again, where it may change while the daemon runs: in the file of --config, unless a flag or the
  // environment gave it. What is wrong with the file, or nothing.
  std::string reload_log_level() const;

 private:
  class file_reader;
  enum class source : unsigned char { built_in, file, environment, flag };
  struct secret_option {
    std::string name, variable, file;
    std::string* into;
  };

  [[nodiscard]] source source_of(const CLI::Option& o) const;
  [[nodiscard]] std::string read_secret(const secret_option& s) const;
  void print() const;

  CLI::App& app_;
  std::string program_, log_level_ = "info", log_format_ = "text";
  bool print_ = false, quiet_ = false;
  std::list<secret_option> secrets_;                      // a list: CLI11 keeps references into it
  mutable std::map<const CLI::Option*, source> sources_;  // of those that are not built in
};

}  // namespace strata::apps
