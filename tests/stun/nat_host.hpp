// A machine behind a NAT, as the procedures see it: a net::host whose sockets are translated by a table in between, which sends
// and receives on a public host of the simulator. RFC 4787 by the letter: mapping, filtering, ports, hairpinning, timeouts.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "async/async.hpp"
#include "sim/network.hpp"

namespace test {

using namespace strata;
using namespace std::chrono_literals;

enum class depends_on : std::uint8_t { nothing, address, address_and_port };
enum class ports : std::uint8_t { preserved, sequential, random };

struct nat_kind {
  depends_on mapping = depends_on::nothing, filtering = depends_on::address_and_port;
  test::ports ports = test::ports::preserved;
  bool hairpin = false, udp = true;
  base::duration timeout = 120s;
};

// What `e` is reduced to by something that depends on that much of it.
inline base::endpoint reduced(const base::endpoint& e, depends_on d) {
  if (d == depends_on::nothing) return {};
  return {e.address, d == depends_on::address ? std::uint16_t{0} : e.port};
}

class nat_host final : public net::host {
 public:
  nat_host(sim::network& n, sim::host& router, nat_kind k) : network_(n), router_(router), kind_(k) {}

  [[nodiscard]] async::loop& loop() override { return router_.loop(); }
  [[nodiscard]] base::wall_time wall_now() override { return router_.wall_now(); }
  void random(base::byte_span out) override { router_.random(out); }
  [[nodiscard]] net::result<std::unique_ptr<net::udp_socket>> bind_udp(const base::endpoint& local, net::udp_options) override {
    if (!local.address.is_v4()) return base::fail(base::errc::unsupported);
    auto s = std::make_unique<socket>(*this, static_cast<std::uint16_t>(next_inside_++));
    return s;
  }
  [[nodiscard]] async::task<net::result<std::unique_ptr<net::stream>>> connect_tcp(base::endpoint remote,
                                                                                   net::tcp_options o) override {
    return router_.connect_tcp(remote, o);
  }
  [[nodiscard]] net::result<std::unique_ptr<net::listener>> listen_tcp(const base::endpoint&, net::tcp_options) override {
    return base::fail(base::errc::unsupported);
  }
  [[nodiscard]] async::task<net::result<std::unique_ptr<net::stream>>> connect_local(std::string) override {
    co_return base::fail(base::errc::unsupported);
  }
  [[nodiscard]] net::result<std::unique_ptr<net::listener>> listen_local(const std::string&) override {
    return base::fail(base::errc::unsupported);
  }
  [[nodiscard]] async::task<net::result<std::vector<base::ip_address>>> resolve(std::string name) override {
    return router_.resolve(std::move(name));
  }
  [[nodiscard]] std::vector<net::interface_address> interfaces() override {
    net::interface_address i;
    i.name = "eth0";
    i.address = *base::ip_address::parse("192.168.1.7");
    i.up = true;
    return {i};
  }
  [[nodiscard]] async::task<> interfaces_changed() override { return router_.interfaces_changed(); }

 private:
  struct arrival {
    base::endpoint peer;
    base::bytes payload;
  };
  // One socket's row of the table, and what came in for it.
  struct row {
    std::unique_ptr<net::udp_socket> outside;
    std::set<base::endpoint> sent_to;
    base::instant last{};
  };
  struct table {
    std::map<base::endpoint, std::shared_ptr<row>> rows;  // by what the mapping depends on
    async::channel<arrival> inbox{1000};
  };

  class socket final : public net::udp_socket {
   public:
    socket(nat_host& h, std::uint16_t port) : host_(h), port_(port) {}
    [[nodiscard]] base::endpoint local_endpoint() const override { return {base::ip_address::any(base::ip_family::v4), port_}; }
    [[nodiscard]] async::task<net::result<std::span<const net::datagram>>> receive() override {
      current_ = *co_await table_->inbox.receive();
      shown_ = {current_.peer, current_.payload};
      co_return std::span<const net::datagram>(&shown_, 1);
    }
    bool send(const base::endpoint& to, base::byte_view payload) override {
      const auto& k = host_.kind_;
      if (!k.udp || (!k.hairpin && to.address == host_.router_.address(0))) return true;
      auto& r = table_->rows[reduced(to, k.mapping)];
      if (!r || host_.now() - r->last > k.timeout) r = host_.open(port_, table_);
      r->last = host_.now();
      r->sent_to.insert(reduced(to, k.filtering));
      return r->outside->send(to, payload);
    }
    [[nodiscard]] std::size_t queued_bytes() const override { return 0; }
    [[nodiscard]] const net::udp_counters& counters() const override { return counters_; }

   private:
    nat_host& host_;
    std::uint16_t port_;
    std::shared_ptr<table> table_ = std::make_shared<table>();
    arrival current_;
    net::datagram shown_{};
    net::udp_counters counters_;
  };

  std::shared_ptr<row> open(std::uint16_t inside, const std::shared_ptr<table>& t) {
    auto wanted = kind_.ports == ports::preserved    ? inside
                  : kind_.ports == ports::sequential ? next_outside_++
                                                     : std::uint16_t{0};
    auto s = router_.bind_udp({router_.address(0), wanted});
    if (!s) s = router_.bind_udp({router_.address(0), 0});
    auto r = std::make_shared<row>();
    r->outside = std::move(*s);
    network_.start("translate", translate(*this, r, t));
    return r;
  }

  static async::task<> translate(nat_host& h, std::shared_ptr<row> r, std::shared_ptr<table> t) {
    for (;;) {
      const auto batch = co_await r->outside->receive();
      if (!batch) co_return;
      for (const auto& d : *batch) {
        const bool alive = h.now() - r->last <= h.kind_.timeout;
        if (alive && r->sent_to.contains(reduced(d.peer, h.kind_.filtering)))
          t->inbox.try_send({d.peer, base::to_bytes(d.payload)});
      }
    }
  }

  sim::network& network_;
  sim::host& router_;
  nat_kind kind_;
  int next_inside_ = 50000;
  std::uint16_t next_outside_ = 20000;
};

}  // namespace test
