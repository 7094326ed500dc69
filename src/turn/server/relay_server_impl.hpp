// The sockets of a TURN server and the tasks that read them.
#pragma once

#include <map>
#include <string_view>

#include "async/async.hpp"
#include "turn/server/engine.hpp"
#include "turn/server/relay_server.hpp"

namespace strata::turn::server {

class relay_server::impl final : public port_source {
 public:
  impl(net::host& h, config c, trace::tracer tracer);
  ~impl() override = default;

  [[nodiscard]] base::result<void> listen();
  [[nodiscard]] async::task<> run();

  void use_identity(std::shared_ptr<const net::tls_server_identity> identity) { config_.identity = std::move(identity); }
  [[nodiscard]] const config& settings() const noexcept { return config_; }
  struct listening_udp {
    base::endpoint local;
    std::unique_ptr<net::udp_socket> socket;
  };
  struct listening_stream {
    base::endpoint local;
    std::unique_ptr<net::listener> listener;
    client_transport transport;
  };
  [[nodiscard]] const std::vector<listening_udp>& udp() const noexcept { return udp_; }
  [[nodiscard]] const std::vector<listening_stream>& streams() const noexcept { return streams_; }
  [[nodiscard]] const counters& counted() const noexcept { return engine_ ? engine_->counted() : none_; }
  [[nodiscard]] std::size_t allocations() const noexcept { return engine_ ? engine_->allocations() : 0; }

  // port_source
  [[nodiscard]] std::optional<base::endpoint> open(allocation_id id, base::ip_family f, bool even_port) override;
  void close(allocation_id id, base::ip_family f) override;

 private:
  // A relayed address.
  struct relay {
    relay_address where;
    std::unique_ptr<net::udp_socket> socket;
    async::event ended;
  };
  struct connection;
  using relay_key = std::pair<allocation_id, base::ip_family>;

  [[nodiscard]] base::endpoint beside(const base::endpoint& wanted) const;
  [[nodiscard]] own_addresses find_own() const;
  [[nodiscard]] moment now() const;

  async::task<> serve_udp(std::size_t index);
  async::task<> expire();
  async::task<> watch_interfaces();
  [[nodiscard]] std::vector<base::ip_address> machine() const;
  void on_unreachable(allocation_id id, const relay& r, const base::endpoint& peer, base::errc why);
  async::task<> read_relay(allocation_id id, std::shared_ptr<relay> r);
  async::task<> receive_from_peers(allocation_id id, relay& r);
  void on_message(base::byte_view message, const five_tuple& tuple);
  void send_to_client(const five_tuple& tuple, base::byte_view message);

  async::task<> accept(std::size_t index);
  async::task<> serve_connection(std::unique_ptr<net::stream> stream, client_transport transport, base::endpoint server);
  async::task<> read_frames(connection& c);
  async::task<> write_outbox(connection& c);

  net::host& host_;
  config config_;
  trace::tracer tracer_;
  std::vector<listening_udp> udp_;
  std::vector<listening_stream> streams_;
  std::unique_ptr<engine> engine_;
  std::map<relay_key, std::shared_ptr<relay>> relays_;
  std::map<five_tuple, connection*> connections_;
  std::map<base::ip_address, std::size_t> from_address_;
  std::size_t accepted_ = 0;
  async::scope* scope_ = nullptr;  // of run()
  async::event schedule_changed_;
  base::instant scheduled_ = base::never;
  base::bytes out_;
  counters none_;
};

}  // namespace strata::turn::server
