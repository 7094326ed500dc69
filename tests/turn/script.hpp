// A TURN server that does what a test tells it to: it challenges, signs, and keeps what it hears.
#pragma once

#include <functional>

#include "lab.hpp"
#include "stun/attributes.hpp"
#include "stun/channel_data.hpp"
#include "stun/credentials.hpp"
#include "stun/message_writer.hpp"

namespace strata::turn::testing {

class script {
 public:
  using filler = std::function<void(stun::message_writer&)>;
  // The answer to a signed request; nothing: `silence`, or what a plain server says when it returns std::nullopt.
  using rule = std::function<std::optional<base::bytes>(const stun::message_view&)>;
  struct heard_message {
    base::bytes bytes;
    base::endpoint from;
    base::instant at;
    [[nodiscard]] stun::message_view view() const { return *stun::message_view::parse(bytes); }
  };

  lab l;
  rule answer;
  std::string nonce = "first";
  std::vector<heard_message> heard;  // signed requests and indications, in their order
  unsigned channel_data = 0;
  const base::endpoint relayed{*base::ip_address::parse("198.51.100.9"), 50000};
  const base::endpoint peer{l.peer.address(0), 4000};
  static inline const base::bytes silence{};

  [[nodiscard]] base::bytes reply(const stun::message_view& m, stun::message_class c, const filler& fill,
                                  bool sign = true) const {
    base::bytes out;
    stun::message_writer w(out, {c, m.method()}, m.transaction_id());
    if (fill) fill(w);
    if (sign) w.integrity(stun::long_term_key("ada", "strata", "secret"));
    return out;
  }
  [[nodiscard]] base::bytes accept(const stun::message_view& m, const filler& fill = {}) const {
    return reply(m, stun::message_class::success, fill);
  }
  [[nodiscard]] base::bytes refuse(const stun::message_view& m, int code, const filler& fill = {}, bool sign = true) const {
    const auto error = [&](stun::message_writer& w) {
      w.add(stun::error_code{code, {}});
      if (fill) fill(w);
    };
    return reply(m, stun::message_class::error, error, sign);
  }
  [[nodiscard]] base::bytes challenge(const stun::message_view& m, int code) const {
    return refuse(m, code, [&](stun::message_writer& w) { w.add(stun::realm{"strata"}).add(stun::nonce{nonce}); }, false);
  }
  [[nodiscard]] base::bytes plain(const stun::message_view& m) const {
    if (m.method() == stun::method::allocate)
      return accept(m, [&](stun::message_writer& w) {
        w.add(stun::xor_relayed_address{relayed}).add(stun::lifetime{600});
        w.add(stun::xor_mapped_address{{l.client.address(0), 4711}});
      });
    if (m.method() == stun::method::refresh) {
      const auto wanted = m.get<stun::lifetime>();
      return accept(m, [&](stun::message_writer& w) { w.add(stun::lifetime{wanted ? wanted->value : 600}); });
    }
    return accept(m);
  }

  [[nodiscard]] std::vector<const heard_message*> all(stun::method method) const {
    std::vector<const heard_message*> found;
    for (const auto& h : heard)
      if (h.view().method() == method) found.push_back(&h);
    return found;
  }
  void to_client(base::byte_view datagram) { socket_->send(heard.back().from, datagram); }

  template <class Body>
  void run(Body body) {
    l.net.set_limit(std::chrono::hours(24));
    socket_ = *l.relay.bind_udp({l.relay.address(0), 3478});
    l.net.run([](script& self, Body& body) -> async::task<> {
      co_await async::with_scope(async::at_end::cancel, [&](async::scope& s) -> async::task<> {
        s.spawn("script", [&self] { return self.serve(); });
        co_await body();
      });
    }(*this, body));
    socket_.reset();
  }
  // With an allocation that is kept meanwhile.
  template <class Body>
  void with_allocation(allocation_config c, Body body) {
    run([this, c, &body]() -> async::task<> {
      auto made = co_await allocation::allocate(l.client, c);
      REQUIRE(made);
      co_await async::with_scope(async::at_end::cancel, [&](async::scope& in) -> async::task<> {
        in.spawn("allocation", run_allocation, std::ref(**made));
        co_await body(**made);
      });
    });
  }
  template <class Body>
  void with_allocation(Body body) {
    with_allocation(lab::client_config(), std::move(body));
  }

 private:
  async::task<> serve() {
    for (;;) {
      const auto batch = co_await socket_->receive();
      if (!batch) co_return;
      for (const auto& d : *batch) take(d);
    }
  }
  void take(const net::datagram& d) {
    if (stun::is_channel_data(d.payload)) {
      ++channel_data;
      return;
    }
    const auto m = stun::message_view::parse(d.payload);
    REQUIRE(m);
    const bool request = m->class_() == stun::message_class::request;
    if (request && !m->integrity_offset()) {
      socket_->send(d.peer, challenge(*m, 401));
      return;
    }
    heard.push_back({base::to_bytes(d.payload), d.peer, l.net.now()});
    if (!request) return;
    auto out = answer ? answer(*m) : std::nullopt;
    if (!out) out = plain(*m);
    if (!out->empty()) socket_->send(d.peer, *out);
  }

  std::unique_ptr<net::udp_socket> socket_;
};

}  // namespace strata::turn::testing
