// Data changes to another pair without a word of signaling (draft-thatcher-ice-renomination).
#include <doctest/doctest.h>

#include "far_relay.hpp"
#include "scripted_peer.hpp"

namespace strata::ice::testing {
namespace {

struct homes {
  explicit homes(bool a_renominates = true, bool b_renominates = true)
      : a(ha, {.controlling = true, .relays = {source(hr)}, .renomination = a_renominates}),
        b(hb, {.renomination = b_renominates}) {}
  sim::network net{7};
  sim::host& ha = net.add_host("a", {"192.0.2.1"});
  sim::host& hb = net.add_host("b", {"192.0.2.2"});
  sim::host& hr = net.add_host("r", {"198.51.100.1"});
  agent a, b;
  inbox at_a{a}, at_b{b};
};

bool relayed(const agent& a) {
  const auto p = a.selected();
  return p && (p->local.type == candidate_type::relayed || p->remote.type == candidate_type::relayed);
}

// Both ends of the relayed path: r speaks for a.
bool over_relay(const homes& w) { return relayed(w.a) && w.b.selected()->remote.address.address == w.hr.address(); }
bool direct(const homes& w) { return !relayed(w.a) && w.b.selected()->remote.address.address == w.ha.address(); }

async::task<> talk(homes& w) {
  for (;;) {
    w.a.send(base::as_bytes("a"));
    w.b.send(base::as_bytes("b"));
    co_await async::sleep_for(100ms);
  }
}

async::task<> until(bool (*holds)(const homes&), const homes& w) {
  while (!w.a.selected() || !w.b.selected() || !holds(w)) co_await async::sleep_for(10ms);
}

// True: it came to hold in time.
async::task<bool> soon(bool (*holds)(const homes&), const homes& w, base::duration limit) {
  co_return (co_await async::with_timeout(limit, until(holds, w))).has_value();
}

template <class Body>
void with_traffic(homes& w, Body body) {
  with_agents(w.net, w.a, w.b, [&]() -> async::task<> {
    co_await both_completed(w.a, w.b);
    co_await async::with_scope(async::at_end::cancel, [&](async::scope& s) -> async::task<> {
      s.spawn("traffic", talk, std::ref(w));
      co_await body();
    });
  });
}

bool says_nomination(base::byte_view payload) {
  const auto m = stun::message_view::parse(payload);
  return m && m->has(stun::attribute_type::nomination);
}

}  // namespace

TEST_CASE("a relayed connection becomes a direct one when the direct path opens") {
  homes w;
  w.net.partition(w.ha, w.hb);
  with_traffic(w, [&]() -> async::task<> {
    CHECK(over_relay(w));
    co_await async::sleep_for(60s);
    CHECK(over_relay(w));
    w.net.heal(w.ha, w.hb);
    CHECK(co_await soon(direct, w, 12s));
    CHECK(w.a.state() == agent_state::completed);
    CHECK(w.a.counts().nominations == 2);
  });
}

TEST_CASE("a direct connection goes on over the relay when the direct path dies, and comes back") {
  homes w;
  with_traffic(w, [&]() -> async::task<> {
    CHECK(direct(w));
    co_await async::sleep_for(30s);
    for (int round = 0; round < 3; ++round) {
      w.net.partition(w.ha, w.hb);
      CHECK(co_await soon(over_relay, w, 4s));
      const auto before = w.at_b.received.size();
      co_await async::sleep_for(10s);
      CHECK(w.at_b.received.size() > before + 90);
      w.net.heal(w.ha, w.hb);
      CHECK(co_await soon(direct, w, 12s));
      CHECK(w.a.state() == agent_state::completed);
      co_await async::sleep_for(30s);
    }
  });
}

TEST_CASE("a pair whose consent has ended is asked again, and used when it answers") {
  homes w;
  with_traffic(w, [&]() -> async::task<> {
    co_await async::sleep_for(10s);
    // Data goes nowhere for so long that consent for all pairs ends; the relay comes back first.
    w.net.partition(w.ha, w.hb);
    w.net.partition(w.hr, w.hb);
    co_await async::sleep_for(25s);
    w.net.heal(w.hr, w.hb);
    CHECK(co_await soon(over_relay, w, 10s));
    co_await async::sleep_for(60s);
    w.net.heal(w.ha, w.hb);
    CHECK(co_await soon(direct, w, 12s));
  });
}

TEST_CASE("a nomination that arrives and whose answer does not is taken back when the first pair lives on") {
  homes w;
  with_traffic(w, [&]() -> async::task<> {
    co_await async::sleep_for(10s);
    w.net.partition(w.ha, w.hb);
    while (w.b.selected()->remote.address.address != w.hr.address()) co_await async::sleep_for(1ms);
    w.net.partition(w.hr, w.hb);
    w.net.heal(w.ha, w.hb);
    co_await async::sleep_for(3s);
    w.net.heal(w.hr, w.hb);
    CHECK(co_await soon(direct, w, 15s));
    co_await async::sleep_for(60s);
    CHECK(direct(w));
  });
}

TEST_CASE("nothing is lost and nothing nominated again while all is well") {
  homes w;
  with_traffic(w, [&]() -> async::task<> {
    co_await async::sleep_for(10min);
    CHECK(w.a.counts().nominations == 1);
    CHECK(w.a.alternatives() >= 1);
    CHECK(w.a.counts().probes <= 10 * 60 / 5 * 2);
    CHECK(w.a.selected()->path.loss == 0.0);
    CHECK(*w.a.selected()->path.rtt == 20ms);
  });
}

TEST_CASE("without the peer's consent to it nobody says NOMINATION, and the first pair stays") {
  for (const bool first : {true, false}) {
    homes w(first, !first);
    w.net.tap([&](const sim::packet_event& e) { CHECK_FALSE(says_nomination(e.packet.payload)); });
    w.net.partition(w.ha, w.hb);
    with_traffic(w, [&]() -> async::task<> {
      CHECK_FALSE(w.a.renominates());
      w.net.heal(w.ha, w.hb);
      co_await async::sleep_for(60s);
      CHECK(over_relay(w));
      CHECK(w.a.counts().nominations == 1);
    });
  }
}

TEST_CASE("the last of several pairs that loses its consent ends the session, not the first") {
  homes w;
  with_traffic(w, [&]() -> async::task<> {
    co_await async::sleep_for(5s);
    w.net.partition(w.ha, w.hb);
    w.net.partition(w.hr, w.hb);
    co_await wait_for(w.a, agent_state::disconnected);
    co_await wait_for(w.a, agent_state::failed);
    co_await wait_for(w.b, agent_state::failed);
  });
}

namespace {

// One agent that is controlled, and two addresses of its peer.
struct controlled {
  sim::network net{5};
  sim::host& ha = net.add_host("a", {"192.0.2.1"});
  sim::host& hb = net.add_host("b", {"192.0.2.2"});
  agent a{ha, {.renomination = true}};
  scripted_peer first{hb, 4000}, second{hb, 4001};

  controlled() { first.local.renomination = second.local.renomination = true; }
  base::endpoint to() const { return a.local_candidates().at(0).address; }
  base::endpoint chosen() const { return a.selected()->remote.address; }
  async::task<> nominate(scripted_peer& by, std::uint32_t value) {
    CHECK(co_await by.check(a.local(), to(), true, {true, 1}, {}, value) == 0);
    co_await async::sleep_for(300ms);
  }
};

}  // namespace

TEST_CASE("the controlled side uses what was nominated with the highest value") {
  controlled w;
  with_scripted(w.net, w.a, {&w.first, &w.second}, [&]() -> async::task<> {
    w.a.set_remote(w.first.local);
    co_await w.nominate(w.first, 1);
    CHECK(w.chosen() == w.first.address());
    co_await w.nominate(w.second, 2);
    CHECK(w.chosen() == w.second.address());
    co_await w.nominate(w.first, 3);
    CHECK(w.chosen() == w.first.address());
    CHECK(w.a.state() == agent_state::completed);
  });
}

TEST_CASE("a nomination with a value that was there before, or a lower one, changes nothing") {
  controlled w;
  with_scripted(w.net, w.a, {&w.first, &w.second}, [&]() -> async::task<> {
    w.a.set_remote(w.first.local);
    co_await w.nominate(w.first, 5);
    for (const auto value : {5u, 4u, 1u, 0u}) {
      co_await w.nominate(w.second, value);
      CHECK(w.chosen() == w.first.address());
    }
    co_await w.nominate(w.second, 0x80000000u);
    CHECK(w.chosen() == w.second.address());
  });
}

TEST_CASE("a nominated pair is used when our own check has shown it, and not before") {
  controlled w;
  w.second.answer = {};  // whoever sent the nomination does not answer there
  with_scripted(w.net, w.a, {&w.first, &w.second}, [&]() -> async::task<> {
    w.a.set_remote(w.first.local);
    co_await w.nominate(w.first, 1);
    co_await w.nominate(w.second, 2);
    co_await async::sleep_for(5s);
    CHECK(w.chosen() == w.first.address());
    w.a.send(base::as_bytes("data"));
    co_await async::sleep_for(100ms);
    CHECK(w.second.data.empty());
  });
}

TEST_CASE("the controlling side lets nobody nominate") {
  sim::network net(5);
  auto& ha = net.add_host("a", {"192.0.2.1"});
  auto& hb = net.add_host("b", {"192.0.2.2"});
  agent a(ha, {.controlling = true, .renomination = true});
  scripted_peer first(hb, 4000), second(hb, 4001);
  first.local.renomination = true;
  with_scripted(net, a, {&first, &second}, [&]() -> async::task<> {
    a.set_remote(first.local);
    CHECK(a.add_remote_candidate(first.as_candidate()));
    co_await wait_for(a, agent_state::completed);
    base::bytes wire;
    stun::transaction_id id{9};
    stun::message_writer w(wire, {stun::message_class::request, stun::method::binding}, id);
    w.add(stun::username{check_username(a.local().ufrag, first.local.ufrag)}).add(stun::priority{1862270975});
    w.add(stun::ice_controlled{1}).add(stun::use_candidate{}).add(stun::nomination{4711});
    w.integrity(stun::short_term_key(a.local().pwd)).fingerprint();
    second.socket->send(a.local_candidates()[0].address, wire);
    co_await async::sleep_for(10s);
    CHECK(second.responses.contains(id));
    CHECK(a.selected()->remote.address == first.address());
    CHECK(a.counts().nominations == 1);
  });
}

}  // namespace strata::ice::testing
