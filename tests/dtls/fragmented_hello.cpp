#include <doctest/doctest.h>

#include "hello.hpp"
#include "wire.hpp"

using namespace strata;
using test::hello_fragment;
using test::side;

namespace {

constexpr std::size_t cut_at = 50;

// Makes room for one more record after each: doubles the sequence numbers in the clear.
base::bytes spread(base::bytes datagram) {
  for (std::size_t at = 0; at + dtls::record_header_size <= datagram.size();) {
    if (datagram[at + 4] == 0) datagram[at + 10] = static_cast<std::uint8_t>(2 * datagram[at + 10]);
    at += dtls::record_header_size + static_cast<std::size_t>(datagram[at + 11] << 8 | datagram[at + 12]);
  }
  return datagram;
}

// Cuts every ClientHello in two, sent as datagrams of their own in the given order.
auto cut_hellos(bool reversed, int copies) {
  return [=](side from, std::size_t, const base::bytes& d) {
    std::vector<test::wire::arrival> out;
    base::byte_view rest = d;
    const auto record = dtls::take_record(rest);
    if (from == side::server || record->epoch != 0 || record->fragment[0] != dtls::client_hello_type) {
      out.push_back({from == side::client ? spread(d) : d});
      return out;
    }
    base::byte_view content = record->fragment;
    const auto f = dtls::take_fragment(content);
    const auto sequence = 2 * record->sequence;
    const base::bytes first = hello_fragment(f->body, 0, cut_at, sequence, f->message_sequence);
    const base::bytes second = hello_fragment(f->body, cut_at, f->body.size() - cut_at, sequence + 1, f->message_sequence);
    for (int i = 0; i < copies; ++i) {
      out.push_back({reversed ? second : first});
      out.push_back({reversed ? first : second, std::chrono::milliseconds(1)});
    }
    return out;
  };
}

}  // namespace

TEST_CASE("A handshake with a ClientHello in two datagrams succeeds, in either order, repeated, with and without cookie") {
  for (bool cookie : {false, true})
    for (bool reversed : {false, true})
      for (int copies : {1, 3}) {
        CAPTURE(cookie);
        CAPTURE(reversed);
        CAPTURE(copies);
        test::wire w;
        w.build({}, {.cookie_exchange = cookie, .client_id = base::to_bytes("192.0.2.1:5000")});
        w.tamper = cut_hellos(reversed, copies);
        const auto [client, server] = w.handshake();
        CHECK(client);
        CHECK(server);
      }
}

TEST_CASE("The hello of Chromium, 1413 bytes in two datagrams, is answered with the server's flight") {
  const base::bytes hello = test::chromium_hello();
  REQUIRE(hello.size() == 1413);
  test::wire w;
  w.build();
  w.inject(side::server, hello_fragment(hello, 0, 1175, 0));
  w.inject(side::server, hello_fragment(hello, 1175, 238, 1));
  const auto both = w.run(async::with_timeout(std::chrono::milliseconds(50), w.server().handshake()));
  CHECK_FALSE(both);  // nobody goes on behind this hello
  REQUIRE_FALSE(w.log.empty());
  base::byte_view answer = w.log[0].data;
  const auto record = dtls::take_record(answer);
  CHECK(record->type == dtls::content_type::handshake);
  CHECK(record->fragment[0] == 2);  // ServerHello
  std::size_t flight = 0;
  for (const auto& d : w.log) flight += d.data.size();
  CHECK(flight > 500);
}

TEST_CASE("A lost half of the hello is made good by the client's retransmission") {
  test::wire w;
  w.build();
  int lost = 0;
  auto cut = cut_hellos(false, 1);
  w.tamper = [&](side from, std::size_t n, const base::bytes& d) {
    auto out = cut(from, n, d);
    if (out.size() == 2 && lost++ == 0) out.pop_back();
    return out;
  };
  const auto [client, server] = w.handshake();
  CHECK(client);
  CHECK(server);
  CHECK(lost == 2);
}
