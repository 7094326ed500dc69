#include <doctest/doctest.h>

#include "agents.hpp"

using namespace strata;
using namespace strata::ice;
using namespace strata::ice::testing;

namespace {

void connect_and_talk(std::initializer_list<std::string_view> addresses_a, std::initializer_list<std::string_view> addresses_b,
                      std::string_view selected) {
  sim::network net(7);
  auto& ha = net.add_host("a", addresses_a);
  auto& hb = net.add_host("b", addresses_b);
  agent a(ha, {.controlling = true});
  agent b(hb, {});
  inbox at_a(a), at_b(b);
  with_agents(net, a, b, [&]() -> async::task<> {
    CHECK(co_await a.connected());
    CHECK(co_await b.connected());
    CHECK(a.send(base::as_bytes("from a")));
    CHECK(b.send(base::as_bytes("from b")));
    co_await at_a.until(1);
    co_await at_b.until(1);
    co_await both_completed(a, b);
    CHECK(a.selected()->remote.address.address.to_string() == selected);
    CHECK(a.selected()->nominated_by == "us");
    CHECK(b.selected()->nominated_by == "the peer");
    CHECK(a.selected()->local.address == b.selected()->remote.address);
    CHECK(b.selected()->local.address == a.selected()->remote.address);
    CHECK(*a.selected()->rtt == 20ms);
  });
  CHECK(at_a.received == std::vector<std::string>{"from b"});
  CHECK(at_b.received == std::vector<std::string>{"from a"});
  CHECK(a.state() == agent_state::closed);
  CHECK_FALSE(a.send(base::as_bytes("too late")));
}

}  // namespace

TEST_CASE("two agents connect over IPv4 and carry data") { connect_and_talk({"192.0.2.1"}, {"192.0.2.2"}, "192.0.2.2"); }
TEST_CASE("two agents connect over IPv6 and carry data") { connect_and_talk({"2001:db8::1"}, {"2001:db8::2"}, "2001:db8::2"); }
// req: 8421-4-b
TEST_CASE("of two families that both work IPv6 is nominated") {
  connect_and_talk({"192.0.2.1", "2001:db8::1"}, {"192.0.2.2", "2001:db8::2"}, "2001:db8::2");
}
