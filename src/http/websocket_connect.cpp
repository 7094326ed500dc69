#include "http/client.hpp"
#include "http/websocket_handshake.hpp"

namespace strata::http {
namespace {

using socket_result = base::result<std::unique_ptr<websocket>>;

async::task<socket_result> shake_hands(net::host& h, url u, websocket_connect_options o, trace::tracer t) {
  std::array<std::uint8_t, 16> random{};
  h.random(random);
  const auto offer = offer_websocket(random, o.subprotocols, o.headers);
  fields headers;
  headers.add("Host", u.authority());
  for (const auto& [name, value] : offer.headers) headers.add(name, value);
  if (!headers.valid()) co_return base::fail(errc::bad_field);

  auto connected = co_await connect(h, u, o.tls);
  if (!connected) co_return base::fail(connected.error());
  stream_reader reader(std::move(*connected));
  const auto text = format_request_head("GET", u.target(), headers);
  const auto written = co_await reader.stream().write(base::as_bytes(text));
  if (!written) co_return base::fail(written.error());
  const auto octets = co_await reader.read_head(o.head, o.timeout, o.timeout);
  if (!octets) co_return base::fail(octets.error());
  if (!*octets) co_return base::fail(errc::truncated);
  const auto head = parse_response_head(**octets, o.head);
  if (!head) co_return base::fail(head.error());
  auto chosen = check_websocket_answer(*head, offer, o.subprotocols);
  if (!chosen) co_return base::fail(chosen.error());
  auto rest = reader.take_buffered();
  auto ws =
      std::make_unique<websocket>(h, reader.take_stream(), std::move(rest), websocket_role::client, o.socket, std::move(t));
  ws->set_subprotocol(std::move(*chosen));
  co_return ws;
}

}  // namespace

async::task<socket_result> websocket_connect(net::host& h, url u, websocket_connect_options o, trace::tracer t) {
  const auto limit = o.timeout;
  co_return co_await async::with_timeout(limit, shake_hands(h, std::move(u), std::move(o), std::move(t)));
}

}  // namespace strata::http
