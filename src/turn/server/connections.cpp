// Clients over TCP and TLS: frames in, a bounded outbox out.
#include <array>

#include "stun/stream_framer.hpp"
#include "turn/server/relay_server_impl.hpp"

namespace strata::turn::server {
namespace {

async::task<> silence(base::duration d) { co_await async::sleep_for(d); }

std::size_t weigh(const base::bytes& message) { return message.size(); }

// One subscriber has a whole /64.
base::ip_address subscriber(const base::ip_address& a) {
  if (a.is_v4()) return a;
  std::array<std::uint8_t, 16> octets{};
  std::copy_n(a.octets().begin(), 8, octets.begin());
  return base::ip_address::v6(octets);
}

template <class F>
struct at_exit {
  F action;
  explicit at_exit(F f) : action(std::move(f)) {}
  ~at_exit() { action(); }
  at_exit(const at_exit&) = delete;
  at_exit& operator=(const at_exit&) = delete;
};

}  // namespace

struct relay_server::impl::connection {
  five_tuple tuple;
  std::unique_ptr<net::stream> stream;
  async::channel<base::bytes> outbox;
};

void relay_server::impl::send_to_client(const five_tuple& tuple, base::byte_view message) {
  if (tuple.is_stream()) {
    const auto at = connections_.find(tuple);
    if (at != connections_.end() && at->second->outbox.try_send(base::to_bytes(message))) return;
  } else {
    for (const auto& u : udp_)
      if (u.local == tuple.server && u.socket->send(tuple.client, message)) return;
  }
  ++engine_->counted().dropped_outbox_full;
}

async::task<> relay_server::impl::accept(std::size_t index) {
  for (;;) {
    auto accepted = co_await streams_[index].listener->accept();
    if (!accepted) {
      tracer_(host_.now(), trace::note{trace::layer::turn, "listener", accepted.error().message()});
      co_return;
    }
    const auto from = from_address_.find(subscriber((*accepted)->remote_endpoint().address));
    const auto same = from == from_address_.end() ? 0 : from->second;
    if (accepted_ >= config_.connections || same >= config_.connections_of_one_address) {
      ++engine_->counted().connections_refused;
      continue;  // the stream goes out of scope, which closes it
    }
    ++engine_->counted().connections;
    scope_->spawn(
        "TURN connection",
        [this, index](std::unique_ptr<net::stream> stream) {
          return serve_connection(std::move(stream), streams_[index].transport, streams_[index].local);
        },
        std::move(*accepted));
  }
}

async::task<> relay_server::impl::serve_connection(std::unique_ptr<net::stream> stream, client_transport transport,
                                                   base::endpoint server) {
  const auto remote = stream->remote_endpoint();
  const auto address = subscriber(remote.address);
  ++accepted_;
  ++from_address_[address];
  const at_exit leave([this, address] {
    --accepted_;
    if (const auto at = from_address_.find(address); --at->second == 0) from_address_.erase(at);
  });
  if (transport == client_transport::tls) {
    auto secure = co_await async::with_timeout(config_.idle, net::tls_accept(host_, std::move(stream), config_.identity));
    if (!secure) co_return;
    stream = std::move(*secure);
  }
  connection c{{remote, server, transport}, std::move(stream), async::channel<base::bytes>(config_.outbox_bytes, weigh)};
  connections_[c.tuple] = &c;
  // RFC 8656 §6: the connection is part of the 5-tuple; nobody can come back to an allocation whose connection is gone.
  const at_exit end([this, &c] {
    connections_.erase(c.tuple);
    engine_->client_gone(c.tuple);
  });
  co_await async::first_of(read_frames(c), write_outbox(c));
}

async::task<> relay_server::impl::read_frames(connection& c) {
  stun::stream_framer framer;
  std::array<std::uint8_t, 4096> buffer;
  for (;;) {
    // Not with_timeout: a connection that TCP has given up says timed_out, too, and for ever.
    const auto [read, waited] = co_await async::first_of(c.stream->read(buffer), silence(config_.idle));
    // A quiet client with an allocation is a client that waits for its peers.
    if (!read && engine_->has_allocation(c.tuple)) continue;
    if (!read || !*read || **read == 0) co_return;
    framer.append(base::byte_view(buffer).first(**read));
    for (;;) {
      const auto next = framer.next();
      if (!next) co_return;  // neither STUN nor ChannelData: there is no finding the next message
      if (!*next) break;
      on_message((*next)->bytes, c.tuple);
    }
  }
}

async::task<> relay_server::impl::write_outbox(connection& c) {
  for (;;) {
    const auto message = co_await c.outbox.receive();
    if (!message) co_return;
    const auto written = co_await async::with_timeout(config_.idle, c.stream->write(*message));
    if (!written) co_return;
  }
}

}  // namespace strata::turn::server
