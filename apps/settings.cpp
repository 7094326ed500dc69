#include "settings.hpp"

#include <cstdlib>
#include <iterator>

#include <fmt/format.h>

#include "config_text.hpp"
#include "log.hpp"
#include "store/files.hpp"

namespace strata::apps {
namespace {

const char* environment(const std::string& name) {
  const char* value = name.empty() ? nullptr : std::getenv(name.c_str());
  return value != nullptr && *value != '\0' ? value : nullptr;
}

std::string check_log_level(const std::string& text) {
  return log_level_from(text) ? std::string() : "'" + text + "' is no log level: quiet, error, warning, info or debug";
}

std::string first_line(const std::string& text) {
  auto line = text.substr(0, text.find('\n'));
  if (!line.empty() && line.back() == '\r') line.pop_back();
  return line;
}

}  // namespace

// CLI11 asks for the file's items after the flags and before the environment, and would let the file win over that: what the
// environment has is left out here.
class settings::file_reader final : public CLI::ConfigTOML {
 public:
  explicit file_reader(const settings& s) : settings_(s) {}

  std::vector<CLI::ConfigItem> from_config(std::istream& in) const override {
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    auto entries = read_config(text);
    if (!entries) throw CLI::ConfigError(entries.error());
    std::vector<CLI::ConfigItem> items;
    for (auto& e : *entries) {
      const auto* o = settings_.app_.get_option_no_throw("--" + e.key);
      if (o == nullptr || !o->get_configurable())
        throw CLI::ConfigError(fmt::format("line {}: unknown key '{}'", e.line, e.key));
      if (o->count() > 0 || environment(o->get_envname()) != nullptr) continue;
      settings_.sources_[o] = source::file;
      if (e.values.empty()) continue;
      auto& item = items.emplace_back();
      item.name = std::move(e.key);
      item.inputs = std::move(e.values);
    }
    return items;
  }

 private:
  const settings& settings_;
};

settings::settings(CLI::App& app, std::string program) : app_(app), program_(std::move(program)) {
  // CLI11 looks for the file before it looks into the environment.
  const auto* named = environment(program_ == "meshd" ? "MESHD_CONFIG" : "REGISTRYD_CONFIG");
  app.set_config("--config", named != nullptr ? named : "",
                 "TOML file of these options without the dashes, as in listen = [\"127.0.0.1:8080\"]", named != nullptr)
      ->configurable(false);
  app.config_formatter(std::make_shared<file_reader>(*this));
  app.allow_config_extras(CLI::config_extras_mode::error);
  app.add_flag("--print-config", print_, "show the settings that hold and where each comes from, secrets hidden, and end")
      ->configurable(false);
  app.add_option("--log-level", log_level_, "quiet, error, warning, info or debug; SIGHUP reads it again from the file")
      ->envname("RUST_LOG")
      ->check(check_log_level)
      ->capture_default_str();
  app.add_option("--log-format", log_format_, "text, or json: an object a line")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  app.add_flag("--quiet", quiet_, "the same as --log-level quiet");
}

void settings::secret(std::string name, std::string variable, std::string& into, const std::string& what) {
  auto& s = secrets_.emplace_back(secret_option{std::move(name), std::move(variable), {}, &into});
  app_.add_option("--" + s.name + "-file", s.file, "file that holds " + what + " (or " + s.variable + " in the environment)")
      ->envname(s.variable + "_FILE");
}

std::string settings::read_secret(const secret_option& s) const {
  const auto* value = environment(s.variable);
  if (value != nullptr && !s.file.empty())
    return s.variable + " and --" + s.name + "-file are both given: one of them is enough";
  if (value != nullptr) *s.into = value;
  if (s.file.empty()) return {};
  const auto text = store::read_file(s.file);
  if (!text) return text.error();
  *s.into = first_line(*text);
  return s.into->empty() ? s.file + ": its first line is empty" : std::string();
}

std::optional<int> settings::parse(int argc, char** argv) {
  logging().program = program_;
  const auto refuse = [](const std::string& why) {
    say(log_level::error, why);
    return 2;
  };
  try {
    app_.parse(argc, argv);
  } catch (const CLI::ConfigError& e) {
    return refuse(app_.get_config_ptr()->as<std::string>() + ": " + e.what());
  } catch (const CLI::FileError& e) {
    return refuse(std::string("--config: ") + e.what());
  } catch (const CLI::ParseError& e) {
    return app_.exit(e);
  }
  for (const auto* o : app_.get_options()) {
    if (o->count() == 0 || sources_.contains(o)) continue;
    const auto given = [&](std::string_view word) {
      const auto flag = "--" + o->get_single_name();
      return word == flag || word.starts_with(flag + "=");
    };
    sources_[o] = std::any_of(argv + 1, argv + argc, given) ? source::flag : source::environment;
  }
  logging().level = quiet_ ? log_level::quiet : *log_level_from(log_level_);
  logging().format = log_format_ == "json" ? log_format::json : log_format::text;
  if (print_) {
    print();
    return 0;
  }
  for (const auto& s : secrets_)
    if (const auto trouble = read_secret(s); !trouble.empty()) return refuse(trouble);
  return std::nullopt;
}

settings::source settings::source_of(const CLI::Option& o) const {
  const auto found = sources_.find(&o);
  return found == sources_.end() ? source::built_in : found->second;
}

std::string settings::reload_log_level() const {
  const auto path = app_.get_config_ptr()->as<std::string>();
  const auto from = source_of(*app_.get_option("--log-level"));
  if (path.empty() || from == source::flag || from == source::environment || quiet_) return {};
  const auto text = store::read_file(path);
  if (!text) return text.error();
  const auto entries = read_config(*text);
  if (!entries) return path + ": " + entries.error();
  auto level = log_level::info;
  for (const auto& e : *entries) {
    if (e.key != "log-level" || e.values.size() != 1) continue;
    if (auto wrong = check_log_level(e.values.front()); !wrong.empty()) return path + ": " + wrong;
    level = *log_level_from(e.values.front());
  }
  logging().level = level;
  return {};
}

// As a file that --config would take; what is built in stands in comments.
void settings::print() const {
  const char* const names[] = {"built in", "file", "environment", "flag"};
  std::string out;
  for (const auto* o : app_.get_options()) {
    if (!o->get_configurable() || o == app_.get_help_ptr()) continue;
    const bool is_flag = o->get_expected_min() == 0, is_list = o->get_expected_max() > 1;
    std::vector<std::string> values = o->results();
    if (o->count() == 0) {
      auto text = o->get_default_str();
      if (text.starts_with('[') && text.ends_with(']')) text = text.substr(1, text.size() - 2);
      if (!text.empty()) values = {std::move(text)};
    }
    const auto where = names[static_cast<std::size_t>(source_of(*o))];
    if (source_of(*o) == source::built_in) out += "# ";
    if (is_flag) {
      out += fmt::format("{} = {}  # {}\n", o->get_single_name(), !values.empty() && values.front() != "false", where);
    } else if (values.empty()) {
      out += fmt::format("{} is not set\n", o->get_single_name());
    } else {
      std::string list;
      for (const auto& v : values) list += (list.empty() ? "" : ", ") + config_string(v);
      out += fmt::format("{} = {}  # {}\n", o->get_single_name(), is_list ? "[" + list + "]" : list, where);
    }
  }
  for (const auto& s : secrets_)
    out += fmt::format("# {} {}\n", s.variable,
                       environment(s.variable) != nullptr ? "is given in the environment (hidden)" : "is not set");
  std::fputs(out.c_str(), stdout);
}

}  // namespace strata::apps
