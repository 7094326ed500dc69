// meshctl trust: the keys by which a meshd knows its peers, and a person's word about them.
#pragma once

#include <string>

#include "async/async.hpp"
#include "net/host.hpp"

namespace strata::apps {

struct trust_options {
  std::string action;  // list, show, accept, forget, own
  std::string peer, fingerprint;
  bool as_json = false;
};

// Prints. 0: done; 1: the meshd says no, or there is none.
async::task<int> speak_of_trust(net::host& h, std::string ipc_path, trust_options o);

}  // namespace strata::apps
