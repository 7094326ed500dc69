#include <doctest/doctest.h>

#include "dtls/record.hpp"
#include "wire.hpp"

using namespace strata;
using test::side;

namespace {
struct hello {
  base::bytes random_and_session;  // version, random, session id
  base::bytes cookie;
  base::bytes rest;
};
hello take_apart(base::byte_view datagram) {
  const auto record = dtls::take_record(datagram);
  base::byte_view content = record->fragment;
  const base::byte_view body = dtls::take_fragment(content)->body;
  const std::size_t session = 34 + 1 + body[34];
  const std::size_t cookie = body[session];
  return {base::to_bytes(body.first(session)), base::to_bytes(body.subspan(session + 1, cookie)),
          base::to_bytes(body.subspan(session + 1 + cookie))};
}
const dtls::config with_cookie{.cookie_exchange = true, .client_id = base::to_bytes("192.0.2.1:4433")};
}  // namespace

// req: 6347-4.2.1-a
// req: 6347-4.2.1-b
// req: 6347-4.2.1-c
TEST_CASE("With cookies the server first asks for one, and the client repeats its hello with it and changes nothing else") {
  test::wire w;
  w.build({}, with_cookie);
  const auto [client, server] = w.handshake();
  CHECK(client);
  CHECK(server);
  REQUIRE(w.log.size() >= 3);
  CHECK(w.log[1].from == side::server);
  CHECK(w.log[1].data[13] == 3);                        // HelloVerifyRequest
  CHECK(w.log[1].data.size() <= w.log[0].data.size());  // no amplification
  const hello first = take_apart(w.log[0].data), second = take_apart(w.log[2].data);
  CHECK(first.cookie.empty());
  CHECK(second.cookie.size() == 32);
  CHECK(first.random_and_session == second.random_and_session);
  CHECK(first.rest == second.rest);
  CHECK(w.loop.now().time_since_epoch() == 6 * test::wire::latency);
}

TEST_CASE("Without cookies there is no such round trip") {
  test::wire w;
  w.build();
  w.handshake();
  for (const auto& d : w.log) CHECK(d.data[13] != 3);
}

TEST_CASE("A wrong cookie is answered with a new request, not with the flight") {
  test::wire w;
  w.build({}, with_cookie);
  std::size_t forged = 0;
  w.tamper = [&](side from, std::size_t n, const base::bytes& d) {
    std::vector<test::wire::arrival> out;
    out.push_back({d});
    if (from == side::client && n == 1) {
      out[0].data[13 + 12 + 34 + 1 + 1 + 5] ^= 1;
      ++forged;
    }
    return out;
  };
  const auto [client, server] = w.handshake();
  CHECK(forged == 1);
  REQUIRE(w.log.size() >= 4);
  CHECK(w.log[3].from == side::server);
  CHECK(w.log[3].data[13] == 3);
  CHECK(client.has_value() == server.has_value());
}
