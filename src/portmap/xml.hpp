// As much of XML 1.0 as device descriptions and SOAP answers need: elements and text. Attributes are passed over, prefixes of
// names are cut off, a document type is refused (nobody here needs entities, and expanding them is how parsers are killed).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "portmap/error.hpp"

namespace strata::portmap::xml {

struct element {
  std::string name;  // without prefix
  std::string text;  // its own, entities resolved, white space at both ends cut off
  std::vector<element> children;

  // The first child of that name.
  [[nodiscard]] const element* child(std::string_view n) const noexcept;
  [[nodiscard]] std::string_view text_of(std::string_view n) const noexcept;  // of that child; empty without
  // This element and everything inside, in the order of the document, with that name.
  void collect(std::string_view n, std::vector<const element*>& into) const;
};

// The root. At most 32 levels and 4096 elements. Errors: malformed, with the offset.
[[nodiscard]] base::result<element> parse(std::string_view document);

[[nodiscard]] std::string escape(std::string_view text);

}  // namespace strata::portmap::xml
