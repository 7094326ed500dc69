#include <doctest/doctest.h>

#include "ice/mdns.hpp"
#include "ice/mdns_resolver.hpp"
#include "scripted_peer.hpp"

using namespace strata;
using namespace strata::ice;
using namespace strata::ice::testing;

namespace {

struct responder {
  sim::host& host;
  std::string name;
  std::vector<base::ip_address> addresses;
  bool unicast_only = false;
  int ignore = 0;  // so many questions
  int asked = 0;

  async::task<> run() {
    const net::udp_options member{.reuse_address = true, .multicast_group = mdns::group(base::ip_family::v4)};
    auto socket = *host.bind_udp({base::ip_address(), mdns::port}, member);
    for (;;) {
      const auto batch = co_await socket->receive();
      for (const auto& d : *batch) {
        const auto m = mdns::decode(d.payload);
        if (!m || m->questions.empty() || m->questions[0].name != name || ++asked <= ignore) continue;
        mdns::message answer{.response = true};
        for (const auto& a : addresses) answer.answers.push_back({name, a});
        const base::endpoint group{mdns::group(base::ip_family::v4), mdns::port};
        socket->send(m->questions[0].unicast || unicast_only ? d.peer : group, mdns::encode(answer));
      }
    }
  }
};

constexpr std::string_view hidden = "1f4712db-ea17-4bcf-a596-105139dfd8bf.local";

}  // namespace

TEST_CASE("a browser's hidden address is found by multicast, when the browser cannot reach us first") {
  sim::network net(6);
  auto& ha = net.add_host("a", {"192.0.2.1"});
  auto& hb = net.add_host("b", {"192.0.2.2"});
  agent a(ha, {.controlling = true});
  scripted_peer b(hb);  // answers checks and sends none
  responder r{hb, std::string(hidden), {hb.address()}};
  with_scripted(net, a, {&b}, [&]() -> async::task<> {
    co_await async::with_scope(async::at_end::cancel, [&](async::scope& s) -> async::task<> {
      s.spawn("responder", [&r] { return r.run(); });
      CHECK(a.add_remote_candidate("1 1 udp 2113937151 1F4712db-ea17-4bcf-a596-105139dfd8bf.local 4000 typ host generation 0"));
      co_await async::sleep_for(1s);
      CHECK(r.asked == 0);  // nobody knows yet whose it is
      a.set_remote(b.local);
      a.remote_end_of_candidates();
      co_await wait_for(a, agent_state::completed);
      CHECK(a.selected()->remote.address == b.address());
      CHECK(a.selected()->remote.type == candidate_type::host);
    });
  });
}

TEST_CASE("a name is not looked up when the peer has reached us meanwhile") {
  sim::network net(6);
  auto& ha = net.add_host("a", {"192.0.2.1"});
  auto& hb = net.add_host("b", {"192.0.2.2"});
  agent a(ha, {});
  scripted_peer b(hb);
  responder r{hb, std::string(hidden), {hb.address()}};
  with_scripted(net, a, {&b}, [&]() -> async::task<> {
    co_await async::with_scope(async::at_end::cancel, [&](async::scope& s) -> async::task<> {
      s.spawn("responder", [&r] { return r.run(); });
      a.set_remote(b.local);
      CHECK(a.add_remote_candidate("1 1 udp 2113937151 " + std::string(hidden) + " 4000 typ host"));
      CHECK(co_await b.check(a.local(), a.local_candidates()[0].address) == 0);
      CHECK(co_await a.connected());
      co_await async::sleep_for(5s);
      CHECK(r.asked == 0);
    });
  });
}

TEST_CASE("a lost question is asked again; nobody's name is given up in time") {
  sim::network net(6);
  auto& ha = net.add_host("a", {"192.0.2.1"});
  auto& hb = net.add_host("b", {"192.0.2.2"});
  responder r{hb, "x.local", {hb.address(), *base::ip_address::parse("2001:db8::2")}, false, 2};
  net.run([](sim::network& net, sim::host& ha, responder& r) -> async::task<> {
    co_await async::with_scope(async::at_end::cancel, [&](async::scope& s) -> async::task<> {
      s.spawn("responder", [&r] { return r.run(); });
      const auto found = co_await mdns::resolve(ha, "X.local", 3s, {});
      REQUIRE(found);
      CHECK(*found == r.addresses);
      CHECK(r.asked == 3);
      const auto begin = net.now();
      CHECK((co_await mdns::resolve(ha, "y.local", 3s, {})).error() == make_error_code(errc::not_found));
      CHECK(net.now() - begin == 3s);
    });
  }(net, ha, r));
}

TEST_CASE("where port 5353 is taken, an answer to another port does") {
  sim::network net(6);
  auto& ha = net.add_host("a", {"192.0.2.1"});
  auto& hb = net.add_host("b", {"192.0.2.2"});
  auto taken = *ha.bind_udp({base::ip_address(), mdns::port});
  responder r{hb, "x.local", {hb.address()}, true};
  net.run([](sim::host& ha, responder& r) -> async::task<> {
    co_await async::with_scope(async::at_end::cancel, [&](async::scope& s) -> async::task<> {
      s.spawn("responder", [&r] { return r.run(); });
      CHECK(co_await mdns::resolve(ha, "x.local", 3s, {}));
    });
  }(ha, r));
}

TEST_CASE("answers from another port, for other names, withdrawn or broken are not believed") {
  sim::network net(6);
  auto& ha = net.add_host("a", {"192.0.2.1"});
  auto& hb = net.add_host("b", {"192.0.2.2"});
  net.run([](sim::host& ha, sim::host& hb) -> async::task<> {
    co_await async::with_scope(async::at_end::cancel, [&](async::scope& s) -> async::task<> {
      s.spawn("liar", [&hb]() -> async::task<> {
        const base::endpoint group{mdns::group(base::ip_family::v4), mdns::port};
        auto other_port = *hb.bind_udp({hb.address(), 5354});
        auto right_port = *hb.bind_udp({hb.address(), mdns::port});
        const auto answer = [](std::string name, std::uint32_t ttl) {
          return mdns::encode(
              {.response = true, .questions = {}, .answers = {{std::move(name), base::ip_address::v4(6, 6, 6, 6), ttl}}});
        };
        for (;;) {
          other_port->send(group, answer("x.local", 120));
          right_port->send(group, answer("y.local", 120));
          right_port->send(group, answer("x.local", 0));
          right_port->send(group, base::to_bytes("garbage"));
          co_await async::sleep_for(100ms);
        }
      });
      CHECK_FALSE(co_await mdns::resolve(ha, "x.local", 3s, {}));
    });
  }(ha, hb));
}

TEST_CASE("names are resolved a few at a time, and not at all when that is switched off") {
  sim::network net(6);
  auto& ha = net.add_host("a", {"192.0.2.1"});
  agent a(ha, {}), off(ha, {.resolve_mdns = false});
  with_silent_agents(net, a, off, [&]() -> async::task<> {
    CHECK_FALSE(off.add_remote_candidate("1 1 udp 9 x.local 5 typ host"));
    for (int i = 0; i < 20; ++i) CHECK(a.add_remote_candidate("1 1 udp 9 x" + std::to_string(i) + ".local 5 typ host"));
    a.set_remote({"abcd", "0123456789012345678901"});
    co_await async::sleep_for(10s);
    CHECK(a.counts().dropped_candidates == 12);
    CHECK(a.pairs().empty());
  });
}
