#include "meshctl_completion.hpp"

#include <fmt/format.h>

namespace strata::apps {
namespace {

std::string words_of(const CLI::App& command) {
  std::string words;
  const auto add = [&](const std::string& w) { words += (words.empty() ? "" : " ") + w; };
  for (const auto* sub : command.get_subcommands({})) add(sub->get_name());
  for (const auto* o : command.get_options())
    for (const auto& name : o->get_lnames()) add("--" + name);
  return words;
}

// The first sentence of a help text, without what a shell would take for its own.
std::string plain(std::string text) {
  std::erase_if(text, [](char c) { return c == '\'' || c == '"' || c == '$' || c == '`' || c == '\\'; });
  return text;
}

// zsh runs scripts of bash for completion once it was asked to.
std::string bash(const CLI::App& app) {
  std::string cases;
  for (const auto* sub : app.get_subcommands({}))
    cases += fmt::format("    {}) words=\"{}\" ;;\n", sub->get_name(), words_of(*sub));
  return fmt::format(R"(_meshctl() {{
  local words="{}" word
  for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
    case "$word" in
{}    esac
  done
  COMPREPLY=($(compgen -W "$words" -- "${{COMP_WORDS[COMP_CWORD]}}"))
}}
complete -o default -F _meshctl meshctl
)",
                     words_of(app), cases);
}

std::string fish(const CLI::App& app) {
  std::string out = "complete -c meshctl -f\n";
  for (const auto* sub : app.get_subcommands({})) {
    out += fmt::format("complete -c meshctl -n __fish_use_subcommand -a {} -d '{}'\n", sub->get_name(),
                       plain(sub->get_description()));
    for (const auto* o : sub->get_options())
      for (const auto& name : o->get_lnames())
        out += fmt::format("complete -c meshctl -n '__fish_seen_subcommand_from {}' -l {} -d '{}'\n", sub->get_name(), name,
                           plain(o->get_description()));
  }
  return out;
}

}  // namespace

std::string completion(const CLI::App& app, const std::string& shell) {
  if (shell == "fish") return fish(app);
  return shell == "zsh" ? "autoload -U +X bashcompinit && bashcompinit\n" + bash(app) : bash(app);
}

}  // namespace strata::apps
