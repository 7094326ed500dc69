// Asking the local link for the address of a .local name (RFC 6762 §5), without any daemon of the system.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "async/task.hpp"
#include "base/ip_address.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "net/host.hpp"

namespace strata::ice::mdns {

// The addresses that the first answer gave. errc::not_found when nobody answered in time. Asks on every interface that
// can multicast and that `use_interface` lets pass (empty: all).
[[nodiscard]] async::task<base::result<std::vector<base::ip_address>>> resolve(
    net::host& host, std::string name, base::duration limit, std::function<bool(const net::interface_address&)> use_interface);

}  // namespace strata::ice::mdns
