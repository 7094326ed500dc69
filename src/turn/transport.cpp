#include "turn/transport.hpp"

#include "async/async.hpp"
#include "net/tls_stream.hpp"
#include "stun/stream_framer.hpp"

namespace strata::turn {
namespace {

constexpr std::size_t outbox_limit = 512u << 10;
constexpr std::size_t read_size = 16u << 10;

class datagrams final : public transport {
 public:
  datagrams(std::unique_ptr<net::udp_socket> s, const base::endpoint& server) : socket_(std::move(s)), server_(server) {
    socket_->on_unreachable = [this](const base::endpoint& peer, base::errc why) {
      if (peer == server_ && why != base::errc::too_large && on_unreachable) on_unreachable(why);
    };
  }

  bool send(base::byte_view frame, bool) override { return socket_->send(server_, frame); }
  [[nodiscard]] async::task<base::error> receive(frame_function on_frame) override {
    for (;;) {
      const auto batch = co_await socket_->receive();
      if (!batch) co_return batch.error();
      for (const auto& d : *batch)
        if (d.peer == server_ && !d.payload.empty()) on_frame(d.payload);  // §11.6: nobody else speaks here
    }
  }
  [[nodiscard]] base::endpoint local_endpoint() const override { return socket_->local_endpoint(); }
  [[nodiscard]] base::endpoint server() const override { return server_; }
  void redirect(const base::endpoint& server) override { server_ = server; }
  [[nodiscard]] bool reliable() const override { return false; }
  [[nodiscard]] std::size_t queued_bytes() const override { return socket_->queued_bytes(); }

 private:
  std::unique_ptr<net::udp_socket> socket_;
  base::endpoint server_;
};

class connection final : public transport {
 public:
  explicit connection(std::unique_ptr<net::stream> s) : stream_(std::move(s)), server_(stream_->remote_endpoint()) {}

  bool send(base::byte_view frame, bool is_channel_data) override {
    const auto padding = is_channel_data ? (4 - frame.size() % 4) % 4 : 0;  // §12.5
    if (over_ || outbox_.size() + frame.size() + padding > outbox_limit) return false;
    outbox_.insert(outbox_.end(), frame.begin(), frame.end());
    outbox_.resize(outbox_.size() + padding);
    waiting_.set();
    return true;
  }
  [[nodiscard]] async::task<base::error> receive(frame_function on_frame) override {
    auto [read_end, write_end] = co_await async::first_of(read(std::move(on_frame)), write());
    over_ = true;
    co_return read_end ? *read_end : *write_end;
  }
  [[nodiscard]] base::endpoint local_endpoint() const override { return stream_->local_endpoint(); }
  [[nodiscard]] base::endpoint server() const override { return server_; }
  void redirect(const base::endpoint&) override {}
  [[nodiscard]] bool reliable() const override { return true; }
  [[nodiscard]] std::size_t queued_bytes() const override { return outbox_.size(); }

 private:
  async::task<base::error> read(frame_function on_frame) {
    for (;;) {
      const auto n = co_await stream_->read(buffer_);
      if (!n) co_return n.error();
      if (*n == 0) co_return base::error(base::errc::closed);
      framer_.append(base::byte_view(buffer_).first(*n));
      for (;;) {
        const auto frame = framer_.next();
        if (!frame) co_return frame.error();
        if (!*frame) break;
        on_frame((*frame)->bytes);
      }
    }
  }
  async::task<base::error> write() {
    for (;;) {
      while (outbox_.empty()) {
        waiting_.reset();
        co_await waiting_.wait();
      }
      leaving_ = std::exchange(outbox_, {});
      if (const auto ok = co_await stream_->write(leaving_); !ok) co_return ok.error();
    }
  }

  std::unique_ptr<net::stream> stream_;
  base::endpoint server_;
  stun::stream_framer framer_;  // outlives one receive(): no byte of a half frame is lost
  base::bytes buffer_ = base::bytes(read_size);
  base::bytes outbox_, leaving_;
  async::event waiting_;
  bool over_ = false;
};

async::task<base::result<std::unique_ptr<transport>>> connect(net::host& h, const server_info& s, base::endpoint address) {
  auto stream = co_await h.connect_tcp(address);
  if (!stream) co_return base::fail(stream.error());
  if (s.transport == server_transport::tls) {
    stream = co_await net::tls_connect(h, std::move(*stream), {.server_name = s.host, .trust_file = s.trust_file});
    if (!stream) co_return base::fail(stream.error());
  }
  co_return std::make_unique<connection>(std::move(*stream));
}

}  // namespace

async::task<base::result<std::unique_ptr<transport>>> open_transport(net::host& h, const server_info& s, base::endpoint address,
                                                                     open_options o) {
  if (s.transport != server_transport::udp) co_return co_await async::with_timeout(o.limit, connect(h, s, address));
  auto socket = h.bind_udp({base::ip_address::any(address.address.family()), 0}, {.dont_fragment = o.dont_fragment});
  if (!socket) co_return base::fail(socket.error());
  co_return std::make_unique<datagrams>(std::move(*socket), address);
}

}  // namespace strata::turn
