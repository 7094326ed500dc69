// A certificate for a laboratory, where nobody signs one: made on the first start, kept in the state directory. Clients are
// told to trust the file itself (meshd --trust), or compare its fingerprint.
#pragma once

#include <string>
#include <vector>

#include "base/endpoint.hpp"
#include "net/host.hpp"
#include "registry/state_files.hpp"

namespace strata::registry {

struct laboratory_certificate {
  std::string certificate_file, key_file;  // PEM; the key has mode 0600
  std::string fingerprint;                 // "sha-256 AB:CD:…"
  bool fresh = false;                      // made by this call
};

// For "localhost", this machine's name and loopback addresses, and the addresses that are listened on. It lasts ten years; who
// wants another one removes tls-self-signed.crt and tls-self-signed.key.
told<laboratory_certificate> kept_certificate(net::host& h, const std::string& directory,
                                              const std::vector<base::endpoint>& listens);

}  // namespace strata::registry
