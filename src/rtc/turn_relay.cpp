#include "rtc/turn_relay.hpp"

#include "async/async.hpp"

namespace strata::rtc {
namespace {

class turn_relay final : public ice::relay {
 public:
  explicit turn_relay(std::unique_ptr<turn::allocation> a) : allocation_(std::move(a)) {}
  [[nodiscard]] net::udp_socket& socket() override { return *allocation_; }
  [[nodiscard]] base::endpoint mapped() const override { return allocation_->mapped(); }
  [[nodiscard]] base::endpoint server() const override { return allocation_->server_endpoint(); }
  void permit(const base::ip_address& peer) override { allocation_->permit(peer); }
  [[nodiscard]] async::task<> run() override { (void)co_await allocation_->run(); }

 private:
  std::unique_ptr<turn::allocation> allocation_;
};

async::task<base::result<std::unique_ptr<ice::relay>>> allocate(net::host& host, turn::allocation_config c, trace::tracer t) {
  auto made = co_await turn::allocation::allocate(host, std::move(c), std::move(t));
  if (!made) co_return base::fail(made.error());
  co_return std::make_unique<turn_relay>(std::move(*made));
}

}  // namespace

std::vector<ice::relay_source> relay_sources(net::host& host, std::span<const turn::server_info> servers,
                                             trace::tracer tracer) {
  std::vector<ice::relay_source> sources;
  for (const auto& s : servers) {
    turn::allocation_config c;
    c.server = s;
    sources.push_back({s.name(), [&host, c, tracer] { return allocate(host, c, tracer); }});
  }
  return sources;
}

}  // namespace strata::rtc
