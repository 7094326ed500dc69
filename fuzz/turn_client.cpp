// What a TURN client takes from the network, after it has an allocation: frames of one length byte and as many bytes. Whatever
// they say, the allocation stays what it was, and nothing is delivered from a peer without permission.
#include "async/async.hpp"
#include "check.hpp"
#include "sim/network.hpp"
#include "stun/attributes.hpp"
#include "turn/allocation_state.hpp"

using namespace strata;
using namespace strata::turn;

namespace {

struct frames final : transport {
  explicit frames(base::byte_view d) : data(d) {}
  bool send(base::byte_view, bool) override { return true; }
  async::task<base::error> receive(frame_function on_frame) override {
    for (auto rest = data; !rest.empty();) {
      const auto size = std::min<std::size_t>(rest[0], rest.size() - 1);
      on_frame(rest.subspan(1, size));
      rest = rest.subspan(1 + size);
    }
    co_return base::error(base::errc::closed);
  }
  base::endpoint local_endpoint() const override { return {}; }
  base::endpoint server() const override { return {base::ip_address::v4(192, 0, 2, 1), 3478}; }
  void redirect(const base::endpoint&) override {}
  bool reliable() const override { return false; }
  std::size_t queued_bytes() const override { return 0; }
  base::byte_view data;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  sim::network net{1};
  auto& host = net.add_host("client", {"192.0.2.2"});
  net.run([](sim::host& h, base::byte_view input) -> async::task<> {
    const base::endpoint friend_{base::ip_address::v4(192, 0, 2, 3), 1};
    allocation::state s(h, {}, std::make_unique<frames>(input), {});
    s.relayed = {{base::ip_address::v4(192, 0, 2, 1), 50'000}};
    s.peers.want(friend_.address, h.now());
    s.peers.granted(friend_.address, h.now());
    (void)co_await listen(s);
    for (const auto& p : s.inbox) STRATA_FUZZ_CHECK(p.peer.address == friend_.address);
    STRATA_FUZZ_CHECK(s.relayed.size() == 1 && s.held.empty() && !s.ended);
  }(host, {data, size}));
  return 0;
}
