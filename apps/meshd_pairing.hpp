// meshd --pair CODE: from nothing to a device token in the state directory.
#pragma once

#include <string>

#include "net/asio_host.hpp"
#include "signaling/enrolment.hpp"
#include "store/files.hpp"

namespace strata::apps {

// The token that is kept there; else one is fetched: with the code, or with the enrolment that an earlier start began. Waits
// until an admin has decided. Empty: there is neither a code nor anything kept. Errors are texts for the operator.
store::told<std::string> device_token(net::asio_host& host, const std::string& state_directory, const std::string& code,
                                      const std::string& name, const signaling::registry_address& registry);

}  // namespace strata::apps
