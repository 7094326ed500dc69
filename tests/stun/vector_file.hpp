// Reads specs/rfc/vectors/<name>.hex; lines that start with # are comments.
#pragma once

#include <fstream>
#include <stdexcept>
#include <string>

#include "base/bytes.hpp"
#include "base/hex.hpp"

namespace strata::test {

inline base::bytes vector(const std::string& name) {
  std::ifstream file(std::string(STRATA_VECTORS) + "/" + name + ".hex");
  std::string hex;
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with('#')) hex += line;
  }
  auto data = base::from_hex(hex);
  if (!data || data->empty()) throw std::runtime_error("no vector " + name);
  return *data;
}

}  // namespace strata::test
