// Peers that are not like us: aggressive, wrong, slow, hostile.
#include <doctest/doctest.h>

#include "scripted_peer.hpp"
#include "stun/fingerprint.hpp"

using namespace strata;
using namespace strata::ice;
using namespace strata::ice::testing;

namespace {

struct world {
  explicit world(agent_config c = {}) : a(ha, std::move(c), {trace, "a"}) {}
  sim::network net{5};
  sim::host& ha = net.add_host("a", {"192.0.2.1"});
  sim::host& hb = net.add_host("b", {"192.0.2.2"});
  recorder trace;
  agent a;
  scripted_peer b{hb};
  base::endpoint to() const { return a.local_candidates().at(0).address; }
};

}  // namespace

// req: 8445-7.3-a, 8445-7.3-d, 8445-7.3-e, 8445-5.3-b, 8839-4.2.4-a, 8445-7.3.1.5-a
TEST_CASE("a check before the description is answered at once; its nomination counts later") {
  world w;
  with_scripted(w.net, w.a, {&w.b}, [&]() -> async::task<> {
    co_await async::sleep_for(1ms);
    CHECK(co_await w.b.check(w.a.local(), w.to(), true) == 0);
    CHECK(w.a.state() == agent_state::idle);
    CHECK(w.b.requests.empty());
    w.a.set_remote(w.b.local);
    co_await wait_for(w.a, agent_state::completed);
    CHECK(w.a.selected()->remote.address == w.b.address());
    CHECK(w.a.selected()->nominated_by == "the peer");
  });
}

// req: 5245-8.1.1.2-a, 5245-8.1.1.2-b
TEST_CASE("an aggressive peer nominates everything it checks; the best pair that works is selected") {
  world w;
  scripted_peer better(w.hb, 4001);
  with_scripted(w.net, w.a, {&w.b, &better}, [&]() -> async::task<> {
    w.a.set_remote(w.b.local);
    CHECK(w.a.add_remote_candidate(w.b.as_candidate(1000)));
    CHECK(w.a.add_remote_candidate(better.as_candidate(2000)));
    CHECK(co_await w.b.check(w.a.local(), w.to(), true) == 0);
    co_await wait_for(w.a, agent_state::completed);
    CHECK(w.a.selected()->remote.address == w.b.address());
    CHECK(co_await better.check(w.a.local(), w.to(), true) == 0);
    co_await async::sleep_for(200ms);
    CHECK(w.a.selected()->remote.address == better.address());
    // and says it again with every check, of either pair
    CHECK(co_await w.b.check(w.a.local(), w.to(), true) == 0);
    CHECK(co_await better.check(w.a.local(), w.to(), true) == 0);
    CHECK(w.a.selected()->remote.address == better.address());
    // req: 8445-12.1-b
    CHECK(w.a.send(base::as_bytes("x")));
    co_await better.next();
    CHECK(better.data.size() == 1);
    CHECK(w.b.data.empty());
  });
}

// req: 8445-7.2.5.3.4-a, 8445-8.1.1-b
TEST_CASE("we nominate one pair, once, and only the answer makes it nominated") {
  world w({.controlling = true});
  scripted_peer better(w.hb, 4001);
  bool quiet = true;
  w.b.answer = [&](const scripted_peer::request& r) {
    if (!r.check.use_candidate || !quiet) w.b.answer_with_success(r);
  };
  with_scripted(w.net, w.a, {&w.b, &better}, [&]() -> async::task<> {
    w.a.set_remote(w.b.local);
    CHECK(w.a.add_remote_candidate(w.b.as_candidate(1000)));
    CHECK(co_await w.a.connected());
    co_await w.b.until_requests(2);
    CHECK(w.b.requests.back().check.use_candidate);
    co_await async::sleep_for(100ms);
    CHECK(w.a.state() == agent_state::connected);
    CHECK_FALSE(w.a.selected()->nominated);
    quiet = false;  // the retransmission is answered
    co_await wait_for(w.a, agent_state::completed);
    CHECK(w.a.add_remote_candidate(better.as_candidate(2000)));
    CHECK(co_await better.check(w.a.local(), w.to(), false, {false, 1}) == 0);  // req: 8445-8.1.2-b, 8445-11-g
    co_await async::sleep_for(10s);
    CHECK(better.requests.empty());
    CHECK(w.a.selected()->remote.address == w.b.address());
  });
}

// req: 8445-7.2.5.3.4-b
TEST_CASE("a nominated pair that stops answering before it is confirmed ends the session") {
  world w({.controlling = true});
  w.b.answer = [&](const scripted_peer::request& r) {
    if (w.b.requests.size() == 1) w.b.answer_with_success(r);
  };
  with_scripted(w.net, w.a, {&w.b}, [&]() -> async::task<> {
    w.a.set_remote(w.b.local);
    CHECK(w.a.add_remote_candidate(w.b.as_candidate()));
    CHECK(co_await w.a.connected());
    co_await wait_for(w.a, agent_state::failed);
    CHECK_FALSE(w.a.send(base::as_bytes("x")));
  });
}

// req: 8445-7.3.1.5-b
TEST_CASE("a peer may refuse a nomination: another valid pair is nominated, and without one the session ends") {
  for (const bool another : {true, false}) {
    world w({.controlling = true});
    scripted_peer second(w.hb, 4001);
    w.b.answer = [&](const scripted_peer::request& r) {
      if (r.check.use_candidate) w.b.answer_with_error(r, 400);
      else w.b.answer_with_success(r);
    };
    with_scripted(w.net, w.a, {&w.b, &second}, [&]() -> async::task<> {
      w.a.set_remote(w.b.local);
      if (another) CHECK(w.a.add_remote_candidate(second.as_candidate(1000)));
      CHECK(w.a.add_remote_candidate(w.b.as_candidate(2000)));
      co_await wait_for(w.a, another ? agent_state::completed : agent_state::failed);
      std::size_t refused = 0;
      for (const auto& r : w.b.requests) refused += r.check.use_candidate ? 1 : 0;
      CHECK(refused == 1);
      if (another) CHECK(w.a.selected()->remote.address == second.address());
    });
  }
}

// req: 8445-7.2.5.3.1-a, 8445-7.2.5.3.1-b, 8445-7.2.5.3.2-a
TEST_CASE("an address that only the peer sees becomes a peer-reflexive candidate of ours") {
  world w({.controlling = true});
  const base::endpoint outside{base::ip_address::v4(203, 0, 113, 9), 40001};
  w.b.answer = [&](const scripted_peer::request& r) {
    w.b.socket->send(r.from, encode_success(r.message().transaction_id(), outside, w.b.key));
  };
  with_scripted(w.net, w.a, {&w.b}, [&]() -> async::task<> {
    w.a.set_remote(w.b.local);
    CHECK(w.a.add_remote_candidate(w.b.as_candidate()));
    co_await wait_for(w.a, agent_state::completed);
    const auto local = w.a.selected()->local;
    CHECK(local.type == candidate_type::peer_reflexive);
    CHECK(local.address == outside);
    CHECK(local.base_address == w.to());
    CHECK(local.priority == w.b.requests[0].check.priority);
    CHECK(w.a.local_candidates().size() == 1);  // not signaled
    CHECK(w.a.send(base::as_bytes("still from the base")));
    co_await w.b.next();
    CHECK(w.b.data.size() == 1);
  });
}

// req: 8445-7.2.5.2.1-a
TEST_CASE("an answer from another address than was asked proves nothing") {
  world w({.controlling = true});
  scripted_peer other(w.hb, 4001);
  w.b.answer = [&](const scripted_peer::request& r) {
    other.socket->send(r.from, encode_success(r.message().transaction_id(), r.from, w.b.key));
  };
  with_scripted(w.net, w.a, {&w.b}, [&]() -> async::task<> {
    w.a.set_remote(w.b.local);
    CHECK(w.a.add_remote_candidate(w.b.as_candidate()));
    co_await async::sleep_for(100ms);
    CHECK(w.a.pairs()[0].state == pair_state::failed);
    CHECK(w.a.pairs()[0].outcome == "answered from 192.0.2.2:4001");
    CHECK(w.a.state() == agent_state::checking);
  });
}

// req: 8445-7.2.5.2.4-a, 8445-7.3-f
TEST_CASE("an error fails the pair, until the peer checks it") {
  for (const int code : {400, 401, 300, 500}) {
    world w({.controlling = true});
    w.b.answer = [&](const scripted_peer::request& r) {
      if (w.b.requests.size() == 1) w.b.answer_with_error(r, code);
      else w.b.answer_with_success(r);
    };
    with_scripted(w.net, w.a, {&w.b}, [&]() -> async::task<> {
      w.a.set_remote(w.b.local);
      CHECK(w.a.add_remote_candidate(w.b.as_candidate()));
      co_await async::sleep_for(2s);
      CHECK(w.a.pairs()[0].state == pair_state::failed);
      CHECK(w.a.pairs()[0].outcome == "error " + std::to_string(code));
      CHECK(co_await w.b.check(w.a.local(), w.to(), false, {false, 1}) == 0);
      CHECK(co_await w.a.connected());
    });
  }
}

// req: 7675-5.1-a
TEST_CASE("a wrong password is answered 401, leaves no trace in the session, and carries no data") {
  world w;
  inbox at_a(w.a);
  with_scripted(w.net, w.a, {&w.b}, [&]() -> async::task<> {
    w.a.set_remote({"othr", "another password than theirs"});
    CHECK(co_await w.b.check(w.a.local(), w.to(), true, {true, 1}, "wrongwrongwrongwrongwrong") == 401);
    CHECK(w.a.pairs().empty());
    w.b.socket->send(w.to(), base::as_bytes("xyz"));
    co_await async::sleep_for(100ms);
    CHECK(w.a.counts().dropped_unknown_source == 1);
    CHECK(w.a.counts().requests_refused == 1);
    CHECK_FALSE(w.a.send(base::as_bytes("x")));
    // And the other way round: it signs its answers with a password that is not the one it signaled.
    CHECK(w.a.add_remote_candidate(w.b.as_candidate()));
    co_await async::sleep_for(3s);
    CHECK(w.a.state() == agent_state::checking);
    CHECK(w.a.counts().dropped_unauthenticated >= 2);
    CHECK(w.a.counts().dropped_unexpected == 0);
  });
  CHECK(at_a.received.empty());
}

// req: 8445-7.2.4-b, 8445-7.3-g
TEST_CASE("datagrams that are not what they claim to be are counted and do no harm") {
  world w;
  inbox at_a(w.a);
  with_scripted(w.net, w.a, {&w.b}, [&]() -> async::task<> {
    w.a.set_remote(w.b.local);
    co_await async::sleep_for(1ms);
    const auto send = [&](base::bytes d) { w.b.socket->send(w.to(), d); };
    send({});
    send({0});
    send(base::bytes(20));  // no cookie
    auto damaged = encode_check({"x:y", 1, {}, false}, {}, w.b.key);
    damaged.back() ^= 1;
    send(damaged);                                     // wrong fingerprint
    send(encode_success({}, w.b.address(), w.b.key));  // nobody asked
    base::bytes other;
    stun::message_writer(other, {stun::message_class::request, stun::method::allocate}, {}).fingerprint();
    send(other);
    base::bytes keepalive;
    stun::message_writer(keepalive, {stun::message_class::indication, stun::method::binding}, {}).fingerprint();
    send(keepalive);
    send({0x16, 0xfe, 0xfd});  // DTLS from nobody
    co_await async::sleep_for(100ms);
    CHECK(w.a.counts().dropped_malformed == 3);
    CHECK(w.a.counts().dropped_unexpected == 2);
    CHECK(w.a.counts().dropped_unknown_source == 1);
    CHECK(w.b.responses.empty());
    CHECK(w.a.pairs().empty());
    // req: 8445-7.3-d
    CHECK(co_await w.b.check(w.a.local(), w.to()) == 0);
    CHECK(stun::check_fingerprint(*stun::message_view::parse(w.b.last_response)) == stun::fingerprint_check::valid);
  });
  CHECK(at_a.received.empty());
}

// req: 8445-7.3.1.4-b
TEST_CASE("a check of the peer makes us ask again at once; the answer to the first question still counts") {
  for (const bool answer_first : {true, false}) {
    world w({.controlling = true});
    w.b.answer = {};
    with_scripted(w.net, w.a, {&w.b}, [&]() -> async::task<> {
      w.a.set_remote(w.b.local);
      CHECK(w.a.add_remote_candidate(w.b.as_candidate()));
      co_await w.b.until_requests(1);
      co_await async::sleep_for(100ms);
      CHECK(w.b.requests.size() == 1);
      CHECK(co_await w.b.check(w.a.local(), w.to(), false, {false, 1}) == 0);
      co_await w.b.until_requests(2);
      CHECK(w.b.requests[0].message().transaction_id() != w.b.requests[1].message().transaction_id());
      co_await async::sleep_for(2s);
      std::size_t first = 0;  // is not sent again
      for (const auto& r : w.b.requests)
        first += r.message().transaction_id() == w.b.requests[0].message().transaction_id() ? 1 : 0;
      CHECK(first == 1);
      w.b.answer_with_success(w.b.requests[answer_first ? 0 : 1]);
      CHECK(co_await w.a.connected());
    });
  }
}

TEST_CASE("data that overtakes the answer of its pair waits for it; data of a pair that never works is not delivered") {
  world w({.controlling = true});
  inbox at_a(w.a);
  w.b.answer = {};
  with_scripted(w.net, w.a, {&w.b}, [&]() -> async::task<> {
    w.a.set_remote(w.b.local);
    CHECK(w.a.add_remote_candidate(w.b.as_candidate()));
    co_await w.b.until_requests(1);
    w.b.socket->send(w.to(), base::as_bytes("early"));
    co_await async::sleep_for(50ms);
    CHECK(at_a.received.empty());
    w.b.answer_with_success(w.b.requests[0]);
    w.b.socket->send(w.to(), base::as_bytes("in time"));
    co_await at_a.until(2);
  });
  CHECK(at_a.received == std::vector<std::string>{"early", "in time"});
}

TEST_CASE("early data is bounded, however small its pieces are") {
  world w({.controlling = true});
  inbox at_a(w.a);
  w.b.answer = {};
  with_scripted(w.net, w.a, {&w.b}, [&]() -> async::task<> {
    w.a.set_remote(w.b.local);
    CHECK(w.a.add_remote_candidate(w.b.as_candidate()));
    co_await w.b.until_requests(1);
    for (int i = 0; i < 1000; ++i) w.b.socket->send(w.to(), base::as_bytes("x"));
    co_await async::sleep_for(50ms);
    CHECK(w.a.counts().dropped_unknown_source > 500);
    w.b.answer_with_success(w.b.requests[0]);
    co_await at_a.until(1000 - w.a.counts().dropped_unknown_source);
  });
}

// req: 8445-12.2-a
TEST_CASE("data is accepted on every validated pair, not only the selected one") {
  world w;
  scripted_peer second(w.hb, 4001);
  inbox at_a(w.a);
  with_scripted(w.net, w.a, {&w.b, &second}, [&]() -> async::task<> {
    w.a.set_remote(w.b.local);
    CHECK(w.a.add_remote_candidate(w.b.as_candidate(2000)));
    CHECK(w.a.add_remote_candidate(second.as_candidate(1000)));
    CHECK(co_await w.b.check(w.a.local(), w.to()) == 0);
    CHECK(co_await second.check(w.a.local(), w.to()) == 0);
    co_await async::sleep_for(1s);
    CHECK(w.a.selected()->remote.address == w.b.address());
    second.socket->send(w.to(), base::as_bytes("from the other"));
    co_await at_a.until(1);
  });
}
