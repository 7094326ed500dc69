// meshctl completion SHELL: what a shell has to know to complete commands and their options.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace strata::apps {

// A script for bash, zsh or fish, made of what the program itself knows about its options.
std::string completion(const CLI::App& app, const std::string& shell);

}  // namespace strata::apps
