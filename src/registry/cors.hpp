// Which web pages of other origins may use the API (Fetch standard, "CORS protocol"). None unless they are listed: a page that
// an operator happens to visit must not read a registry that only the operator's machine can reach. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "http/message.hpp"

namespace strata::registry {

class cors {
 public:
  cors() = default;
  explicit cors(std::vector<std::string> origins) : origins_(std::move(origins)) {}

  // "https://hub.example.org", with a port where it is not the scheme's own, or "*" for every page. What is wrong, or nothing.
  [[nodiscard]] static std::string check(const std::string& origin);

  // The answer when the request is a browser's question before the request itself: yes to a listed origin, 403 to others.
  [[nodiscard]] std::optional<http::response> preflight(const http::request& r) const;
  // Marks an answer as readable for the page that asked, when its origin is listed.
  void mark(const http::request& r, http::response& answer) const;

 private:
  [[nodiscard]] bool allows(std::string_view origin) const;
  void allow(std::string_view origin, http::response& answer) const;

  std::vector<std::string> origins_;
};

}  // namespace strata::registry
