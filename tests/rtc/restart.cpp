// ICE restarts under a living association (RFC 8445 §9): data goes on, and moves when the new path works.
#include "peers.hpp"

using namespace strata;
using namespace std::chrono_literals;
using rtc::testing::certificate_of;
using rtc::testing::two_peers;

namespace {

constexpr auto signaling_delay = 30ms;

// The signaling of one restart, with its way through the registry.
async::task<bool> restart(rtc::peer_connection& from, rtc::peer_connection& to) {
  auto offer = co_await from.restart("asked to");
  if (!offer) co_return false;
  co_await async::sleep_for(signaling_delay);
  auto answer = co_await to.accept_offer(*offer);
  if (!answer) co_return false;
  co_await async::sleep_for(signaling_delay);
  co_return from.accept_answer(*answer).has_value();
}

async::task<> moved(rtc::peer_connection& pc, unsigned restarts) {
  while (pc.path().restarts() < restarts) co_await pc.path().changed();
}

// Numbered messages in both directions for as long as it lives, a hundred a second; then all that were sent have arrived.
class traffic {
 public:
  explicit traffic(two_peers& p) : peers_(p) {}
  async::task<> open() {
    a_ = peers_.a.create_channel({.label = "numbers"});
    co_await peers_.negotiate();
    REQUIRE(co_await peers_.a.connected());
    b_ = co_await peers_.b.accept_channel();
    REQUIRE(b_);
  }
  async::task<> run() {
    co_await async::all_of(send(a_, sent_a_), send(b_, sent_b_), receive(b_, got_b_), receive(a_, got_a_));
  }
  async::task<> all_arrived() {
    stopping_ = true;
    while (got_b_ < sent_a_ || got_a_ < sent_b_ || !stopped()) co_await async::sleep_for(10ms);
    CHECK(in_order_);
    CHECK(got_a_ > 0);
  }
  [[nodiscard]] base::duration longest_silence() const { return longest_silence_; }

 private:
  [[nodiscard]] bool stopped() const { return ended_ == 2; }
  async::task<> send(std::shared_ptr<datachannel::channel> c, int& count) {
    while (!stopping_) {
      if (!co_await c->send({base::to_bytes(std::to_string(count)), true})) break;
      ++count;
      co_await async::sleep_for(10ms);
    }
    ++ended_;
  }
  async::task<> receive(std::shared_ptr<datachannel::channel> c, int& count) {
    auto last = peers_.net.now();
    while (auto m = co_await c->receive()) {
      in_order_ = in_order_ && base::as_text(m->data) == std::to_string(count);
      ++count;
      longest_silence_ = std::max(longest_silence_, peers_.net.now() - last);
      last = peers_.net.now();
    }
  }

  two_peers& peers_;
  std::shared_ptr<datachannel::channel> a_, b_;
  int sent_a_ = 0, sent_b_ = 0, got_a_ = 0, got_b_ = 0, ended_ = 0;
  bool stopping_ = false, in_order_ = true;
  base::duration longest_silence_{};
};

template <class Body>
void with_traffic(two_peers& p, Body body) {
  p.run([&]() -> async::task<> {
    traffic t(p);
    co_await t.open();
    co_await async::with_scope(async::at_end::cancel, [&](async::scope& s) -> async::task<> {
      s.spawn("traffic", [&t] { return t.run(); });
      co_await body(t);
      co_await t.all_arrived();
    });
  });
}

}  // namespace

TEST_CASE("data goes on during a restart and moves to the new path") {  // req: 8445-9-a // req: 8445-9-b // req:
                                                                        // 8839-4.4.1.1.1-a req: 8839-4.4.3.1.1-a
  for (const bool by_answerer : {false, true}) {
    CAPTURE(by_answerer);
    two_peers p;
    with_traffic(p, [&](traffic& t) -> async::task<> {
      const auto before = p.a.ice().local();
      const bool controlling = p.a.ice().controlling();
      co_await async::sleep_for(1s);
      CHECK(co_await (by_answerer ? restart(p.b, p.a) : restart(p.a, p.b)));
      co_await moved(p.a, 1);
      co_await moved(p.b, 1);
      CHECK(p.a.ice().local().ufrag != before.ufrag);
      CHECK(p.a.ice().local().pwd != before.pwd);
      CHECK(p.a.ice().controlling() == controlling);  // req: 8445-6.1.1-c
      CHECK(p.a.state() == rtc::connection_state::connected);
      co_await async::sleep_for(10s);
      CHECK(t.longest_silence() < 100ms);
    });
  }
}

TEST_CASE("a restart moves a connection to the address a peer has moved to") {
  two_peers p(3, {.latency = 20ms}, {.restart_patience = 60s});
  with_traffic(p, [&](traffic&) -> async::task<> {
    co_await async::sleep_for(1s);
    p.ha.remove_address(p.ha.address());
    p.ha.add_address("wlan0", "198.51.100.77");
    CHECK(co_await restart(p.a, p.b));
    co_await moved(p.a, 1);
    co_await moved(p.b, 1);
    CHECK(p.a.ice().selected()->local.address.address.to_string() == "198.51.100.77");
  });
}

TEST_CASE("a connection whose path is lost waits for a restart as long as it was told to") {
  two_peers p(5, {.latency = 20ms}, {.restart_patience = 60s});
  with_traffic(p, [&](traffic&) -> async::task<> {
    p.net.partition(p.ha, p.hb);
    while (p.a.ice().state() != ice::agent_state::failed) co_await p.a.path().changed();
    CHECK(p.a.state() == rtc::connection_state::disconnected);
    co_await async::sleep_for(20s);
    p.net.heal(p.ha, p.hb);
    CHECK(co_await restart(p.b, p.a));
    co_await moved(p.a, 1);
    co_await moved(p.b, 1);
    co_await async::sleep_for(1s);
    CHECK(p.a.state() == rtc::connection_state::connected);
  });
}

TEST_CASE("a connection whose path is lost ends when nobody restarts it") {
  two_peers p(5, {.latency = 20ms}, {.restart_patience = 60s});
  p.run([&]() -> async::task<> {
    auto c = p.a.create_channel({.label = "x"});
    co_await p.negotiate();
    REQUIRE(co_await p.a.connected());
    p.net.partition(p.ha, p.hb);
    const auto cut = p.net.now();
    co_await p.a.closed();
    CHECK(p.net.now() - cut > 60s);
    CHECK(p.net.now() - cut < 120s);
    CHECK(p.a.state() == rtc::connection_state::failed);
  });
}

TEST_CASE("restarts that cross end in one new path when one side takes its offer back") {
  two_peers p;
  with_traffic(p, [&](traffic&) -> async::task<> {
    auto of_a = co_await p.a.restart("a");
    auto of_b = co_await p.b.restart("b");
    REQUIRE(of_a);
    REQUIRE(of_b);
    CHECK_FALSE(co_await p.a.accept_offer(*of_b));  // not while its own is outstanding
    p.b.rollback("theirs comes first");
    auto answer = co_await p.b.accept_offer(*of_a);
    REQUIRE(answer);
    REQUIRE(p.a.accept_answer(*answer));
    co_await moved(p.a, 1);
    co_await moved(p.b, 1);
  });
}

TEST_CASE("what a restart was asked for is asked again when the restart is given up") {
  two_peers p;
  traffic t(p);
  p.run([&]() -> async::task<> {
    co_await t.open();
    p.ha.add_address("eth1", "198.51.100.7");
    p.a.network_changed();
    const auto why = co_await p.a.restart_wanted();
    REQUIRE(co_await p.a.restart(why));
    p.a.rollback("the registry is away");
    const auto again = co_await async::with_timeout(5s, p.a.restart_wanted());
    REQUIRE(again);
    CHECK(*again == why);
    // And once it has been done, no more.
    auto offer = co_await p.a.restart(*again);
    REQUIRE(offer);
    auto answer = co_await p.b.accept_offer(*offer);
    REQUIRE(answer);
    CHECK(p.a.accept_answer(*answer));
    co_await moved(p.a, 1);
    CHECK_FALSE(co_await async::with_timeout(60s, p.a.restart_wanted()));
  });
}

TEST_CASE("a restart that nobody answers changes nothing") {
  two_peers p;
  with_traffic(p, [&](traffic&) -> async::task<> {
    const auto before = p.a.ice().local().ufrag;
    CHECK(co_await p.a.restart("nobody hears it"));
    CHECK_FALSE(co_await p.a.restart("one at a time"));
    co_await async::sleep_for(10min);
    CHECK(p.a.state() == rtc::connection_state::connected);
    p.a.rollback("no answer");
    CHECK(p.a.ice().local().ufrag == before);
    CHECK(co_await restart(p.a, p.b));
    co_await moved(p.a, 1);
  });
}

// req: 7675-5.1-o
TEST_CASE("the old path keeps its consent while a restart is under way") {
  two_peers p;
  with_traffic(p, [&](traffic& t) -> async::task<> {
    const auto asked = p.a.ice().counts().consent_received;
    CHECK(co_await p.a.restart("answered late"));
    co_await async::sleep_for(2min);
    CHECK(p.a.ice().counts().consent_received >= asked + 15);
    CHECK(p.a.state() == rtc::connection_state::connected);
    CHECK(t.longest_silence() < 100ms);
    p.a.rollback("never answered");
  });
}

TEST_CASE("a restart whose candidates lead nowhere leaves the old path in use") {
  two_peers p;
  with_traffic(p, [&](traffic&) -> async::task<> {
    const auto before = p.a.ice().local().ufrag;
    auto offer = co_await p.a.restart("broken on the way");
    REQUIRE(offer);
    // The offer's password is damaged under way: every check of b's will be refused, and every one of a's.
    auto changed = *offer;
    const auto at = changed.find("a=ice-pwd:") + 10;
    changed[at] = changed[at] == 'A' ? 'B' : 'A';
    auto answer = co_await p.b.accept_offer(changed);
    REQUIRE(answer);
    auto broken = *answer;
    const auto theirs = broken.find("a=ice-pwd:") + 10;
    broken[theirs] = broken[theirs] == 'A' ? 'B' : 'A';
    REQUIRE(p.a.accept_answer(broken));
    while (p.a.path().restarting() || p.b.path().restarting()) co_await async::sleep_for(1s);
    CHECK(p.a.ice().local().ufrag == before);
    CHECK(p.a.state() == rtc::connection_state::connected);
    CHECK(p.a.path().restarts() == 0);
  });
}

TEST_CASE("an offer from somebody else is no restart") {
  two_peers p;
  with_traffic(p, [&](traffic&) -> async::task<> {
    auto offer = co_await p.a.restart("stolen");
    REQUIRE(offer);
    auto changed = *offer;
    const auto stranger = crypto::format(certificate_of(p.ha).fingerprint());
    const auto at = changed.find("a=fingerprint:") + 14;
    changed.replace(at, changed.find("\r\n", at) - at, stranger);
    const auto refused = co_await p.b.accept_offer(changed);
    REQUIRE_FALSE(refused);
    CHECK(refused.error() == make_error_code(rtc::errc::another_session));
    CHECK_FALSE(p.b.path().restarting());
    p.a.rollback("refused");
  });
}

TEST_CASE("candidates of both generations find their own") {  // req: 8838-15-a
  two_peers p;
  with_traffic(p, [&](traffic&) -> async::task<> {
    auto offer = co_await p.a.restart("again");
    REQUIRE(offer);
    const auto& old = *p.a.ice().remote();
    const auto late = "candidate:9 1 udp 1 192.0.2.200 4000 typ host ufrag " + old.ufrag;
    const auto refused = p.a.ice().counts().dropped_candidates;
    (void)p.a.add_candidate(late);  // the old generation has its end of candidates, or takes it: never the new one
    CHECK(p.a.path().newest()->counts().dropped_candidates == 0);
    CHECK(p.a.ice().counts().dropped_candidates >= refused);
    auto answer = co_await p.b.accept_offer(*offer);
    REQUIRE(answer);
    REQUIRE(p.a.accept_answer(*answer));
    co_await moved(p.a, 1);
  });
}
