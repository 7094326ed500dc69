// One of the protocols, spoken to one gateway: what the mapper sees of it.
#pragma once

#include <memory>

#include "async/task.hpp"
#include "base/result.hpp"
#include "net/host.hpp"
#include "portmap/mapping.hpp"
#include "trace/sink.hpp"

namespace strata::portmap {

struct wish {
  base::endpoint inside;
  base::endpoint suggested;  // what the mapping was before; else the inside port and no address
  base::duration lifetime{};
};

struct grant {
  portmap::mapping mapping;
  bool state_lost = false;  // the gateway has started again since its last answer: what it gave before is gone
};

class client {
 public:
  virtual ~client() = default;
  [[nodiscard]] virtual protocol by() const noexcept = 0;
  // New or renewed, on the retransmission schedule of the protocol, until answered or cancelled.
  [[nodiscard]] virtual async::task<base::result<grant>> request(wish w) = 0;
  [[nodiscard]] virtual async::task<base::result<void>> remove(mapping m) = 0;
  // The gateway's own outside address, without a mapping. PCP has no question for it: errc::unsupported.
  [[nodiscard]] virtual async::task<base::result<base::ip_address>> outside_address(base::ip_address inside) = 0;
};

[[nodiscard]] std::unique_ptr<client> make_pcp_client(net::host& h, base::ip_address gateway);
[[nodiscard]] std::unique_ptr<client> make_nat_pmp_client(net::host& h, base::ip_address gateway);
[[nodiscard]] std::unique_ptr<client> make_upnp_client(net::host& h, base::ip_address gateway);

}  // namespace strata::portmap
