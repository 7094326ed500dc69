// The files a registry keeps: its secret, its keys. Errors are texts for the operator.
#pragma once

#include <string>

#include "base/bytes.hpp"
#include "net/host.hpp"
#include "store/files.hpp"

namespace strata::registry {

using store::read_file;
using store::told;
using store::write_file;

// The key that signs tokens: the given one, or the one in the directory, which is made (0700, the file 0600) when missing.
told<base::bytes> token_secret(net::host& h, const std::string& given, const std::string& directory);

// What the TURN server and those who make credentials for it share, as text; kept in the same directory.
told<std::string> turn_secret(net::host& h, const std::string& directory);

// Makes a key of 128 random bits for a peer and adds it to a key file, which is made when missing.
told<std::string> add_key(net::host& h, const std::string& keys_file, const std::string& peer, const std::string& role);

}  // namespace strata::registry
