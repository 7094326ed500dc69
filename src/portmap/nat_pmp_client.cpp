// NAT-PMP as a procedure (RFC 6886 §3).
#include <utility>

#include "portmap/client.hpp"
#include "portmap/epoch.hpp"
#include "portmap/exchange.hpp"
#include "portmap/nat_pmp.hpp"
#include "portmap/schedule.hpp"

namespace strata::portmap {
namespace {

class nat_pmp_client final : public client {
 public:
  nat_pmp_client(net::host& h, base::ip_address gateway) : host_(h), gateway_{gateway, nat_pmp::port} {}

  [[nodiscard]] protocol by() const noexcept override { return protocol::nat_pmp; }

  async::task<base::result<grant>> request(wish w) override {
    const auto seconds = static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::seconds>(w.lifetime).count());
    const auto answer = co_await ask(w.inside.address, nat_pmp::map_request(w.inside.port, w.suggested.port, seconds));
    if (!answer) co_return base::fail(answer.error());
    const auto given = nat_pmp::read_map_answer(*answer);
    if (!given) co_return base::fail(given.error());
    if (given->inside != w.inside.port || given->outside == 0 || given->lifetime == 0)
      co_return base::fail(errc::malformed, base::error::nowhere, "a mapping of the port that was asked for");
    bool known = epoch_.learn(given->epoch, host_.now());
    // RFC 6886 §3.2: the address is another question.
    const auto outside = co_await ask_address(w.inside.address, known);
    if (!outside) co_return base::fail(outside.error());
    co_return grant{
        {w.inside, {*outside, given->outside}, base::duration(std::chrono::seconds(given->lifetime)), by(), gateway_}, !known};
  }

  async::task<base::result<void>> remove(mapping m) override {
    const auto answer = co_await ask(m.inside.address, nat_pmp::map_request(m.inside.port, 0, 0));
    if (!answer) co_return base::fail(answer.error());
    const auto gone = nat_pmp::read_map_answer(*answer);
    if (!gone) co_return base::fail(gone.error());
    co_return base::result<void>();
  }

  async::task<base::result<base::ip_address>> outside_address(base::ip_address inside) override {
    bool known = true;
    co_return co_await ask_address(inside, known);
  }

 private:
  async::task<base::result<base::bytes>> ask(base::ip_address inside, base::bytes request) {
    auto copy = request;
    co_return co_await exchange(host_, inside, gateway_, std::move(request), nat_pmp_wait,
                                [copy = std::move(copy)](base::byte_view d) { return nat_pmp::answers(copy, d); });
  }

  async::task<base::result<base::ip_address>> ask_address(base::ip_address inside, bool& known) {
    const auto answer = co_await ask(inside, nat_pmp::address_request());
    if (!answer) co_return base::fail(answer.error());
    const auto address = nat_pmp::read_address_answer(*answer);
    if (!address) co_return base::fail(address.error());
    known = epoch_.learn(address->epoch, host_.now()) && known;
    if (address->outside.is_unspecified()) co_return base::fail(errc::network_failure);
    co_return address->outside;
  }

  net::host& host_;
  base::endpoint gateway_;
  epoch epoch_;
};

}  // namespace

std::unique_ptr<client> make_nat_pmp_client(net::host& h, base::ip_address gateway) {
  return std::make_unique<nat_pmp_client>(h, gateway);
}

}  // namespace strata::portmap
