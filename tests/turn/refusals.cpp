// What the client makes of each way in which a server can say no.
#include <set>

#include "script.hpp"

using namespace strata;
using namespace strata::turn;
using namespace strata::turn::testing;

// req: 8656-7.4-c 8656-7.4-f 8656-7.4-l 8656-7.4-m 8656-7.4-n 8656-7.4-o 8656-7.4-p 8656-7.4-q
TEST_CASE("an Allocate that is refused is not asked again, and the error has words") {
  for (const int code : {400, 403, 420, 440, 441, 442, 446, 447, 486, 499, 500, 508, 599}) {
    CAPTURE(code);
    script x;
    x.answer = [&](const stun::message_view& m) { return x.refuse(m, code); };
    x.run([&]() -> async::task<> {
      const auto refused = co_await allocation::allocate(x.l.client, lab::client_config());
      REQUIRE_FALSE(refused);
      CHECK(refused.error() == stun::response_error(code));
      CHECK(explain(refused.error()).starts_with(std::to_string(code) + ": "));
      co_await async::sleep_for(10min);
      CHECK(x.all(stun::method::allocate).size() == 1);
    });
  }
}

// req: 8656-7.4-h 8656-7.4-i
TEST_CASE("a server that remembers something older of our socket is tried from three sockets, no more") {
  script x;
  x.answer = [&](const stun::message_view& m) { return x.refuse(m, 437); };
  x.run([&]() -> async::task<> {
    const auto refused = co_await allocation::allocate(x.l.client, lab::client_config());
    REQUIRE_FALSE(refused);
    CHECK(refused.error() == stun::response_error(437));
    std::set<base::endpoint> from;
    for (const auto& h : x.heard) from.insert(h.from);
    CHECK(from.size() == 3);
    CHECK(x.heard.size() == 3);
  });
}

// req: 8656-7.4-k
TEST_CASE("a nonce that went stale is replaced on every kind of request") {
  script x;
  unsigned stale = 0;
  std::string current = "first";
  x.answer = [&](const stun::message_view& m) -> std::optional<base::bytes> {
    const auto n = m.get<stun::nonce>();
    if (n && n->text == current) {
      current = x.nonce = "nonce " + std::to_string(++stale);  // used once
      return std::nullopt;
    }
    return x.challenge(m, 438);
  };
  x.with_allocation([&](allocation& a) -> async::task<> {
    for (int i = 0; i < 40; ++i) {
      a.send(x.peer, base::as_bytes("x"));
      co_await async::sleep_for(60s);
    }
    CHECK(a.counts().refreshes >= 3);
    CHECK(a.counts().permissions >= 1);
    CHECK(a.counts().channel_binds >= 3);
    CHECK(x.channel_data > 10);
    CHECK(stale > 7);
    a.release();
    co_await async::sleep_for(2s);
    CHECK(x.heard.back().view().get<stun::lifetime>()->value == 0);
    CHECK(x.heard.back().view().get<stun::nonce>()->text == "nonce " + std::to_string(stale - 1));
  });
}

TEST_CASE("a server that calls every nonce stale is given up soon") {
  script x;
  unsigned n = 0;
  x.answer = [&](const stun::message_view& m) {
    x.nonce = std::to_string(++n);
    return x.challenge(m, 438);
  };
  x.run([&]() -> async::task<> {
    const auto refused = co_await allocation::allocate(x.l.client, lab::client_config());
    REQUIRE_FALSE(refused);
    CHECK(refused.error() == stun::response_error(438));
    CHECK(x.heard.size() < 10);
  });
}

// req: 8656-7.4-d 8656-7.4-e
TEST_CASE("credentials that are wrong are refused once, and that is the end") {
  script x;
  x.answer = [&](const stun::message_view& m) { return x.challenge(m, 401); };
  x.run([&]() -> async::task<> {
    const auto refused = co_await allocation::allocate(x.l.client, lab::client_config());
    REQUIRE_FALSE(refused);
    CHECK(explain(refused.error()).starts_with("401: "));
    co_await async::sleep_for(10min);
    CHECK(x.heard.size() == 1);
  });
}

// req: 8656-5-d
TEST_CASE("an allocation of which the server knows nothing any more is lost, whatever was asked") {
  for (const auto what : {stun::method::refresh, stun::method::create_permission, stun::method::channel_bind}) {
    for (const int code : {437, 441}) {
      CAPTURE(code);
      script x;
      x.answer = [&](const stun::message_view& m) -> std::optional<base::bytes> {
        if (m.method() == what) return x.refuse(m, code);
        return std::nullopt;
      };
      x.with_allocation([&](allocation& a) -> async::task<> {
        for (int i = 0; i < 30; ++i) {
          a.send(x.peer, base::as_bytes("x"));
          co_await async::sleep_for(30s);
        }
        const auto end = co_await a.receive();
        REQUIRE_FALSE(end);
        CHECK(end.error() == make_error_code(errc::lost));
      });
    }
  }
}

// req: 8656-12.3-a
TEST_CASE("a channel that is refused when it is bound again ends the allocation, and the server is told") {
  script x;
  unsigned binds = 0;
  x.answer = [&](const stun::message_view& m) -> std::optional<base::bytes> {
    if (m.method() == stun::method::channel_bind && ++binds > 1) return x.refuse(m, 400);
    return std::nullopt;
  };
  x.with_allocation([&](allocation& a) -> async::task<> {
    for (int i = 0; i < 30; ++i) {
      a.send(x.peer, base::as_bytes("x"));
      co_await async::sleep_for(30s);
    }
    CHECK_FALSE(co_await a.receive());
    co_await async::sleep_for(1s);
    CHECK(binds == 2);
    CHECK(x.all(stun::method::refresh).back()->view().get<stun::lifetime>()->value == 0);
  });
}

// req: 8656-7.4-b
TEST_CASE("a redirection that is signed is followed, to where it points") {
  script x;
  const base::endpoint other{x.l.relay.address(0), 3479};
  std::unique_ptr<net::udp_socket> second = *x.l.relay.bind_udp(other);
  unsigned asked = 0;
  x.answer = [&](const stun::message_view& m) {
    return x.refuse(m, 300, [&](stun::message_writer& w) { w.add(stun::alternate_server{other}); });
  };
  x.run([&]() -> async::task<> {
    auto there = [](script& x, net::udp_socket& s, unsigned& asked) -> async::task<> {
      for (;;) {
        const auto batch = co_await s.receive();
        if (!batch) co_return;
        for (const auto& d : *batch) {
          const auto m = *stun::message_view::parse(d.payload);
          ++asked;
          s.send(d.peer, m.integrity_offset() ? x.plain(m) : x.challenge(m, 401));
        }
      }
    };
    auto [served, made] =
        co_await async::first_of(there(x, *second, asked), allocation::allocate(x.l.client, lab::client_config()));
    REQUIRE(made);
    REQUIRE(*made);
    CHECK((**made)->server_endpoint() == other);
    CHECK(asked == 2);
  });
}

TEST_CASE("a redirection that is not signed, that leads back, or into another family is not followed") {
  enum class kind { unsigned_, back, family };
  for (const auto k : {kind::unsigned_, kind::back, kind::family}) {
    script x;
    x.answer = [&](const stun::message_view& m) {
      const base::endpoint to{x.l.relay.address(k == kind::family ? 1 : 0),
                              static_cast<std::uint16_t>(k == kind::back ? 3478 : 3479)};
      return x.refuse(m, 300, [&](stun::message_writer& w) { w.add(stun::alternate_server{to}); }, k != kind::unsigned_);
    };
    x.run([&]() -> async::task<> {
      const auto began = x.l.net.now();
      CHECK_FALSE(co_await allocation::allocate(x.l.client, lab::client_config()));
      CHECK(x.l.net.now() - began < 120s);
      CHECK(x.heard.size() < 20);
    });
  }
}

// req: 8656-7.4-g 8656-7.1-k
TEST_CASE("a server that does not know DONT-FRAGMENT is asked without") {
  script x;
  x.answer = [&](const stun::message_view& m) -> std::optional<base::bytes> {
    if (m.has(stun::attribute_type::dont_fragment)) return x.refuse(m, 420);
    return std::nullopt;
  };
  auto c = lab::client_config();
  c.dont_fragment = true;
  x.with_allocation(c, [&](allocation& a) -> async::task<> {
    a.send(x.peer, base::as_bytes("x"));
    co_await async::sleep_for(1s);
    CHECK(x.all(stun::method::allocate).front()->view().has(stun::attribute_type::dont_fragment));
    REQUIRE(x.all(stun::method::send).size() == 1);
    CHECK_FALSE(x.all(stun::method::send).front()->view().has(stun::attribute_type::dont_fragment));
  });
}

// req: 8656-7.3-a 8656-7.3-b
TEST_CASE("an address of a family that was not asked for is given back") {
  script x;
  x.answer = [&](const stun::message_view& m) -> std::optional<base::bytes> {
    if (m.method() != stun::method::allocate) return std::nullopt;
    return x.accept(m, [&](stun::message_writer& w) {
      w.add(stun::xor_relayed_address{{x.l.relay.address(1), 50000}}).add(stun::lifetime{600});
    });
  };
  x.run([&]() -> async::task<> {
    const auto refused = co_await allocation::allocate(x.l.client, lab::client_config());
    REQUIRE_FALSE(refused);
    CHECK(refused.error() == make_error_code(errc::unusable_answer));
    REQUIRE(x.all(stun::method::refresh).size() == 1);
    CHECK(x.all(stun::method::refresh).front()->view().get<stun::lifetime>()->value == 0);
    CHECK(x.all(stun::method::allocate).size() == 1);
  });
}
