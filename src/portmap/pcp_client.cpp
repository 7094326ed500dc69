// PCP as a procedure (RFC 6887 §8.1, §11).
#include <map>
#include <utility>

#include "portmap/client.hpp"
#include "portmap/epoch.hpp"
#include "portmap/exchange.hpp"
#include "portmap/pcp.hpp"
#include "portmap/schedule.hpp"

namespace strata::portmap {
namespace {

class pcp_client final : public client {
 public:
  pcp_client(net::host& h, base::ip_address gateway) : host_(h), gateway_{gateway, pcp::port} {}

  [[nodiscard]] protocol by() const noexcept override { return protocol::pcp; }

  async::task<base::result<grant>> request(wish w) override {
    const auto seconds = static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::seconds>(w.lifetime).count());
    const auto given = co_await ask({w.inside, nonce_of(w.inside), seconds, w.suggested});
    if (!given) co_return base::fail(given.error());
    if (given->outside.port == 0 || given->outside.address.is_unspecified() || given->lifetime == 0)
      co_return base::fail(errc::malformed, base::error::nowhere, "a mapping");
    const bool known = epoch_.learn(given->epoch, host_.now());
    co_return grant{{w.inside, given->outside, base::duration(std::chrono::seconds(given->lifetime)), by(), gateway_}, !known};
  }

  async::task<base::result<void>> remove(mapping m) override {
    // RFC 6887 §15: with the nonce it was made with, and no suggestion.
    const auto gone = co_await ask({m.inside, nonce_of(m.inside), 0, {base::ip_address::any(m.inside.address.family()), 0}});
    if (!gone) co_return base::fail(gone.error());
    nonces_.erase(m.inside);
    co_return base::result<void>();
  }

  async::task<base::result<base::ip_address>> outside_address(base::ip_address) override {
    co_return base::fail(errc::unsupported);
  }

 private:
  async::task<base::result<pcp::map_answer>> ask(pcp::map_request r) {
    const auto request = pcp::encode(r);
    const auto answer = co_await exchange(
        host_, r.inside.address, gateway_, request, [this](unsigned n) { return pcp_wait(n, host_.random_u64()); },
        [request](base::byte_view d) { return pcp::answers(request, d); });
    if (!answer) co_return base::fail(answer.error());
    co_return pcp::read_map_answer(*answer);
  }

  const pcp::mapping_nonce& nonce_of(const base::endpoint& inside) {
    const auto [at, is_new] = nonces_.try_emplace(inside);
    if (is_new) host_.random(at->second);
    return at->second;
  }

  net::host& host_;
  base::endpoint gateway_;
  epoch epoch_;
  std::map<base::endpoint, pcp::mapping_nonce> nonces_;
};

}  // namespace

std::unique_ptr<client> make_pcp_client(net::host& h, base::ip_address gateway) {
  return std::make_unique<pcp_client>(h, gateway);
}

}  // namespace strata::portmap
