// An allocation from its first request to its end, against our own server.
#include "lab.hpp"

using namespace strata;
using namespace strata::turn;
using namespace strata::turn::testing;

// req: 8656-7.1-a
TEST_CASE("packets go through the relay and back, over UDP and over TCP") {
  for (const auto over : {server_transport::udp, server_transport::tcp}) {
    CAPTURE(to_string(over));
    lab l;
    l.run([&](server::relay_server& relay, async::scope& s) -> async::task<> {
      auto made = co_await allocation::allocate(l.client, lab::client_config(over));
      REQUIRE(made);
      auto& a = **made;
      CHECK(a.local_endpoint().address == l.relay.address());
      CHECK(a.mapped().address == l.client.address());
      CHECK(relay.allocations() == 1);
      co_await async::with_scope(async::at_end::cancel, [&](async::scope& in) -> async::task<> {
        in.spawn("allocation", run_allocation, std::ref(a));
        auto far = *l.peer.bind_udp({l.peer.address(), 4000});
        reader at_peer(*far), at_client(a);
        for (int i = 0; i < 50; ++i) {
          CHECK(a.send({l.peer.address(), 4000}, base::as_bytes("there " + std::to_string(i))));
          const auto there = co_await at_peer.next();
          CHECK(there.text == "there " + std::to_string(i));
          CHECK(there.from == a.local_endpoint());
          far->send(there.from, base::as_bytes("back " + std::to_string(i)));
          const auto back = co_await at_client.next();
          CHECK(back.text == "back " + std::to_string(i));
          CHECK(back.from == base::endpoint{l.peer.address(), 4000});
        }
        CHECK(a.counts().sent_in_indications > 0);
        CHECK(a.counts().sent_in_channels > 0);  // much was sent: a channel carries it
        CHECK(a.counts().channel_binds == 1);
        CHECK(a.counts().held == 1);
      });
      co_await async::sleep_for(1s);
      CHECK(relay.allocations() == 0);  // given back
    });
  }
}

TEST_CASE("an allocation lives for thirty days, its permissions and channels with it") {
  lab l;
  auto c = l.server_config();
  c.nonce_lifetime = 10min;
  l.run(c, [&](server::relay_server& relay, async::scope& s) -> async::task<> {
    auto made = co_await allocation::allocate(l.client, lab::client_config());
    REQUIRE(made);
    auto& a = **made;
    co_await async::with_scope(async::at_end::cancel, [&](async::scope& in) -> async::task<> {
      in.spawn("allocation", run_allocation, std::ref(a));
      auto far = *l.peer.bind_udp({l.peer.address(), 4000});
      reader at_peer(*far), at_client(a);
      const auto relayed = a.local_endpoint();
      for (int i = 0; i < 30 * 24 * 6; ++i) {  // every ten minutes, a whole exchange
        for (int burst = 0; burst < 3; ++burst) {
          a.send({l.peer.address(), 4000}, base::as_bytes("x"));
          const auto there = co_await at_peer.next();
          CHECK(there.from == relayed);
          far->send(there.from, base::as_bytes("y"));
          (void)co_await at_client.next();
        }
        co_await async::sleep_for(9min + 30s);
      }
      CHECK(relay.allocations() == 1);
      CHECK(a.counts().refreshes > 30 * 24 * 6 / 2);
      CHECK(a.counts().channel_binds >= 1);
    });
  });
}

TEST_CASE("both families in one allocation, and one when the server has only one") {
  lab l;
  auto c = lab::client_config();
  c.families = {base::ip_family::v4, base::ip_family::v6};
  l.run([&](server::relay_server&, async::scope&) -> async::task<> {
    auto made = co_await allocation::allocate(l.client, c);
    REQUIRE(made);
    CHECK((*made)->relayed(base::ip_family::v4));
    CHECK((*made)->relayed(base::ip_family::v6));
    CHECK_FALSE((*made)->partial_refusal());
  });
  lab only_v4;
  auto sc = only_v4.server_config();
  sc.relay.resize(1);
  only_v4.run(sc, [&](server::relay_server&, async::scope&) -> async::task<> {
    auto made = co_await allocation::allocate(only_v4.client, c);
    REQUIRE(made);
    CHECK((*made)->relayed(base::ip_family::v4));
    CHECK((*made)->partial_refusal() == 440);
    auto six = lab::client_config();
    six.families = {base::ip_family::v6};
    const auto refused = co_await allocation::allocate(only_v4.client, six);
    REQUIRE_FALSE(refused);
    CHECK(refused.error() == stun::response_error(440));
    CHECK(explain(refused.error()).find("address family") != std::string::npos);
  });
}

TEST_CASE("wrong credentials are an error in words, soon") {
  lab l;
  l.run([&](server::relay_server&, async::scope&) -> async::task<> {
    auto c = lab::client_config();
    c.server.password = "wrong";
    const auto began = l.net.now();
    const auto refused = co_await allocation::allocate(l.client, c);
    REQUIRE_FALSE(refused);
    CHECK(l.net.now() - began < 1s);
    CHECK(explain(refused.error()).find("credentials") != std::string::npos);
  });
}

TEST_CASE("a server that is not there is an error before long, and one that drops everything too") {
  lab l;
  l.run([&](server::relay_server&, async::scope&) -> async::task<> {
    for (const auto over : {server_transport::udp, server_transport::tcp}) {
      auto c = lab::client_config(over);
      c.server.host = "peer";
      CHECK_FALSE(co_await allocation::allocate(l.client, c));
      c.server.host = "nowhere.example";
      CHECK_FALSE(co_await allocation::allocate(l.client, c));
    }
    l.net.partition(l.client, l.relay);
    const auto began = l.net.now();
    CHECK_FALSE(co_await allocation::allocate(l.client, lab::client_config()));
    CHECK(l.net.now() - began < 60s);
  });
}

TEST_CASE("a peer that the server forbids costs nothing but its packets") {
  lab l;
  auto c = l.server_config();
  c.peers = {};  // documentation addresses are none of the policy's
  l.run(c, [&](server::relay_server&, async::scope&) -> async::task<> {
    auto made = co_await allocation::allocate(l.client, lab::client_config());
    REQUIRE(made);
    auto& a = **made;
    co_await async::with_scope(async::at_end::cancel, [&](async::scope& in) -> async::task<> {
      in.spawn("allocation", run_allocation, std::ref(a));
      for (int i = 0; i < 100; ++i) {
        CHECK(a.send({l.peer.address(), 4000}, base::as_bytes("x")));
        co_await async::sleep_for(100ms);
      }
      CHECK(a.counts().dropped_unpermitted > 90);
      CHECK(a.queued_bytes() == 0);
    });
  });
}

TEST_CASE("the end of a connection to the server is the end of the allocation") {
  lab l;
  l.run([&](server::relay_server&, async::scope&) -> async::task<> {
    auto made = co_await allocation::allocate(l.client, lab::client_config(server_transport::tcp));
    REQUIRE(made);
    co_await async::with_scope(async::at_end::cancel, [&](async::scope& in) -> async::task<> {
      in.spawn("allocation", run_allocation, std::ref(**made));
      co_await async::sleep_for(1s);
      l.net.set_down(l.relay);
      const auto end = co_await (*made)->receive();
      REQUIRE_FALSE(end);
      CHECK(end.error() == make_error_code(errc::connection_lost));
      CHECK((*made)->send({l.peer.address(), 4000}, base::as_bytes("x")));
    });
    l.net.set_up(l.relay);
  });
}

TEST_CASE("a server that has forgotten the allocation ends it") {
  lab l;
  l.run([&](server::relay_server&, async::scope&) -> async::task<> {
    auto made = co_await allocation::allocate(l.client, lab::client_config());
    REQUIRE(made);
    co_await async::with_scope(async::at_end::cancel, [&](async::scope& in) -> async::task<> {
      in.spawn("allocation", run_allocation, std::ref(**made));
      l.net.partition(l.client, l.relay);
      const auto cut = l.net.now();
      const auto end = co_await (*made)->receive();
      REQUIRE_FALSE(end);
      CHECK(end.error() == make_error_code(errc::lost));
      CHECK(l.net.now() - cut <= 11min);
    });
    l.net.heal(l.client, l.relay);
  });
}

TEST_CASE("quotas of the server are reported as what they are") {
  lab l;
  auto c = l.server_config();
  c.limits.allocations_of_one_user = 2;
  l.run(c, [&](server::relay_server&, async::scope&) -> async::task<> {
    auto one = co_await allocation::allocate(l.client, lab::client_config());
    auto two = co_await allocation::allocate(l.client, lab::client_config());
    REQUIRE(one);
    REQUIRE(two);
    const auto three = co_await allocation::allocate(l.client, lab::client_config());
    REQUIRE_FALSE(three);
    CHECK(three.error() == stun::response_error(486));
  });
}
