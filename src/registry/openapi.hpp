// The description of the API that /api/openapi.json serves: openapi.json beside this file, built in.
#pragma once

#include <string_view>

namespace strata::registry {

extern const std::string_view openapi_document;

}  // namespace strata::registry
