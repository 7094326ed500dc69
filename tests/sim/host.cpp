#include <doctest/doctest.h>

#include <algorithm>

#include "async/async.hpp"
#include "sim/network.hpp"

using namespace strata;
using namespace std::chrono_literals;

TEST_CASE("names: hosts by their own, the table, localhost and literals; all else is not found") {
  sim::network net(1);
  auto& a = net.add_host("a", {"192.0.2.1", "2001:db8::1"});
  net.add_name("stun.example", {base::ip_address::v4(192, 0, 2, 77)});
  net.run([](sim::host& a) -> async::task<> {
    using list = std::vector<base::ip_address>;
    CHECK(*co_await a.resolve("a") == list{a.address(0), a.address(1)});
    CHECK(*co_await a.resolve("stun.example") == list{base::ip_address::v4(192, 0, 2, 77)});
    CHECK(*co_await a.resolve("2001:db8::9") == list{*base::ip_address::parse("2001:db8::9")});
    CHECK((co_await a.resolve("localhost"))->front().is_loopback());
    const auto nobody = co_await a.resolve("nobody.example");
    CHECK(nobody.error() == base::errc::not_found);
  }(a));
}

TEST_CASE("interfaces carry their flags, can go down and change") {
  sim::network net(1);
  auto& a = net.add_host("a", {"192.0.2.1/28"});
  a.add_address("wlan0", "10.0.0.5");
  const auto all = a.interfaces();
  REQUIRE(all.size() == 4);
  CHECK(all[0].loopback);
  CHECK(all[2].name == "eth0");
  CHECK(all[2].prefix_length == 28);
  CHECK(all[2].up);
  CHECK(all[2].multicast);
  CHECK(all[3].index != all[2].index);
  a.set_interface_up("wlan0", false);
  CHECK_FALSE(a.interfaces()[3].up);
  CHECK_FALSE(a.bind_udp({base::ip_address::v4(10, 0, 0, 5), 0}));
  a.remove_address(base::ip_address::v4(10, 0, 0, 5));
  CHECK(a.interfaces().size() == 3);
  CHECK_THROWS(a.add_address("eth0", "no address"));
}

TEST_CASE("an unbound socket speaks from the interface that fits the destination") {
  sim::network net(1);
  auto& a = net.add_host("a", {"192.0.2.1"});
  a.add_address("wlan0", "10.0.0.5");
  auto& b = net.add_host("b", {"10.0.0.9"});
  net.run([](sim::host& a, sim::host& b) -> async::task<> {
    auto sa = *a.bind_udp({});
    auto sb = *b.bind_udp({b.address(), 9});
    sa->send(sb->local_endpoint(), base::as_bytes("x"));
    const auto batch = co_await sb->receive();
    CHECK(batch->front().peer.address == base::ip_address::v4(10, 0, 0, 5));
    auto loop = *a.bind_udp({base::ip_address::loopback(base::ip_family::v4), 9});
    sa->send(loop->local_endpoint(), base::as_bytes("y"));
    const auto own = co_await loop->receive();
    CHECK(own->front().peer.address.is_loopback());
  }(a, b));
}

TEST_CASE("local streams: found by path, bounded, half-closing, with credentials") {
  sim::network net(1);
  auto& a = net.add_host("a", {"192.0.2.1"});
  auto& b = net.add_host("b", {"192.0.2.2"});
  net.run([](sim::host& a, sim::host& b) -> async::task<> {
    auto listener = *a.listen_local("/run/meshd.sock");
    CHECK(a.listen_local("/run/meshd.sock").error() == base::errc::in_use);
    const auto elsewhere = co_await b.connect_local("/run/meshd.sock");
    CHECK(elsewhere.error() == base::errc::not_found);
    auto client = *co_await a.connect_local("/run/meshd.sock");
    auto server = *co_await listener->accept();
    CHECK(server->credentials().has_value());
    const base::bytes much(1 << 20, 7);
    const auto full = co_await async::with_timeout(1s, client->write(much));
    CHECK(full.error() == base::errc::timed_out);
    const auto drain = [](net::stream& s) -> async::task<std::size_t> {
      base::bytes piece(4096);
      std::size_t total = 0;
      for (;;) {
        const auto n = co_await s.read(piece);
        if (!n || *n == 0) co_return total;
        total += *n;
      }
    };
    const auto rest = [](net::stream& s, base::byte_view data) -> async::task<> {
      CHECK(co_await s.write(data));
      CHECK(co_await s.finish());
    };
    auto [total, nothing] = co_await async::all_of(drain(*server), rest(*client, base::byte_view(much).first(300'000)));
    CHECK(total == 300'000 + (208 << 10));
    server.reset();
    const auto gone = co_await client->read({});
    CHECK(gone);
    const auto refused = co_await a.connect_local("/run/other");
    CHECK(refused.error() == base::errc::not_found);
  }(a, b));
}

TEST_CASE("chance and wall time are the run's own: same seed, same bytes, same date") {
  const auto draw = [](std::uint64_t seed, const char* name) {
    sim::network net(seed);
    auto& h = net.add_host(name, {"192.0.2.1"});
    CHECK(h.wall_now() > std::chrono::sys_days(std::chrono::year(2026) / 1 / 1));
    return h.random_u64();
  };
  CHECK(draw(1, "a") == draw(1, "a"));
  CHECK(draw(1, "a") != draw(2, "a"));
  CHECK(draw(1, "a") != draw(1, "b"));
}

TEST_CASE("who waits for changed interfaces is woken by each kind of change, and by nothing else") {
  sim::network net(1);
  auto& a = net.add_host("a", {"192.0.2.1"});
  auto& b = net.add_host("b", {"192.0.2.2"});
  const auto wakes = [&](auto change) {
    return net.run([](sim::host& a, auto f) -> async::task<bool> {
      co_return co_await async::with_scope(async::at_end::cancel, [&](async::scope& s) -> async::task<bool> {
        bool woken = false;
        s.spawn("watch", [&]() -> async::task<> {
          co_await a.interfaces_changed();
          woken = true;
        });
        co_await async::yield();
        f();
        co_await async::sleep_for(1s);
        co_return woken;
      });
    }(a, change));
  };
  CHECK(wakes([&] { a.add_address("wlan0", "10.0.0.5"); }));
  CHECK(wakes([&] { a.set_interface_up("wlan0", false); }));
  CHECK(wakes([&] { a.remove_address(base::ip_address::v4(10, 0, 0, 5)); }));
  CHECK(wakes([&] { net.set_down(a); }));
  CHECK(wakes([&] { net.set_up(a); }));
  CHECK_FALSE(wakes([&] { b.add_address("wlan0", "10.0.0.6"); }));
}
