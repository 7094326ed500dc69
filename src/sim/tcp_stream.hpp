// One end of a simulated TCP connection. The path may deliver segments in any order and late, never not at all
// (lost ones come a retransmission later), so all that is left to do is to put them in order, to stop the writer
// when the reader is slow, and to end it.
#pragma once

#include <cstdint>
#include <map>

#include "async/event.hpp"
#include "net/host.hpp"
#include "sim/packet.hpp"
#include "sim/tcp.hpp"

namespace strata::sim {

class tcp_stream final : public net::stream {
 public:
  enum class state { connecting, open, closed };

  tcp_stream(tcp_stack& s, const base::endpoint& local, const base::endpoint& remote, state initial);
  ~tcp_stream() override;

  [[nodiscard]] async::task<net::result<std::size_t>> read(base::byte_span into) override;
  [[nodiscard]] async::task<net::result<void>> write(base::byte_view data) override;
  [[nodiscard]] async::task<net::result<void>> finish() override;
  void close() noexcept override;
  [[nodiscard]] base::endpoint local_endpoint() const override { return local_; }
  [[nodiscard]] base::endpoint remote_endpoint() const override { return remote_; }

  [[nodiscard]] async::task<net::result<void>> established();
  void send(segment_kind kind, base::byte_view payload = {});
  void receive(const packet& p);
  void fail(base::errc reason);

 private:
  void take_in_order();
  void consumed(std::size_t n);

  tcp_stack& stack_;
  base::endpoint local_, remote_;
  state state_;
  base::errc reason_ = base::errc::closed;

  // out
  std::uint64_t next_sequence_ = 0;
  std::size_t in_flight_ = 0;  // written and not yet taken by the reader over there
  bool finished_ = false;
  async::event writable_;

  // in
  std::map<std::uint64_t, packet> early_;  // arrived before their turn
  std::uint64_t expected_ = 0;
  base::bytes inbox_;
  std::size_t taken_ = 0;  // of inbox_
  std::size_t uncredited_ = 0;
  bool peer_finished_ = false;
  async::event readable_;
};

}  // namespace strata::sim
