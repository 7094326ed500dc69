// Shared by the files of the Asio host only.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <asio/generic/stream_protocol.hpp>
#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>

#include "net/asio_await.hpp"
#include "net/host.hpp"

namespace strata::net::detail {

class asio_loop final : public async::loop {
 public:
  [[nodiscard]] base::instant now() const override;
  asio::io_context io{1};
};

// A non-blocking socket that Asio watches; closed when destroyed.
using descriptor = asio::posix::stream_descriptor;

inline auto readable(descriptor& d) {
  return asio_await<>([&d](auto handler) { d.async_wait(descriptor::wait_read, std::move(handler)); });
}
inline auto writable(descriptor& d) {
  return asio_await<>([&d](auto handler) { d.async_wait(descriptor::wait_write, std::move(handler)); });
}

struct socket_address {
  sockaddr_storage storage{};
  socklen_t length = 0;
};
socket_address to_native(const base::endpoint& e);
base::endpoint from_native(const sockaddr_storage& s);

base::error from_errno(int number);

// What the network says of datagrams that were sent (asio_udp_errors.cpp).
void ask_for_errors(int fd, base::ip_family family, bool dont_fragment);
[[nodiscard]] bool is_about_a_datagram(int number);  // an errno that tells of one that was sent earlier
struct socket_error {
  base::endpoint peer;
  base::errc why;
};
[[nodiscard]] std::optional<socket_error> next_socket_error(int fd);

result<std::unique_ptr<udp_socket>> make_udp_socket(asio_loop& loop, const base::endpoint& local, const udp_options& o);
std::unique_ptr<stream> make_stream(asio_loop& loop, int fd);
async::task<result<std::unique_ptr<stream>>> connect_stream(asio_loop& loop, int family, socket_address to, tcp_options o = {});
result<std::unique_ptr<listener>> make_listener(asio_loop& loop, int fd, std::string unlink_path);
std::vector<interface_address> read_interfaces();
std::vector<base::ip_address> read_gateways();

}  // namespace strata::net::detail
