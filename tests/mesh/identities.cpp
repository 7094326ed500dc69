// Who is there really: a registry that lies in signaling is found out by those who have met before.
#include <map>

#include "crypto/fingerprint.hpp"
#include "mesh/identity.hpp"
#include "sly_registry.hpp"
#include "world.hpp"

using namespace strata;
using namespace std::chrono_literals;
using mesh::testing::sidecar;
using mesh::testing::sly_registry;
using mesh::testing::world;

namespace {

// Outlives the run of a meshd, as a disk does.
class shelf final : public store::engine {
 public:
  base::result<std::vector<store::record>> load(std::string_view table) override {
    std::vector<store::record> all;
    for (const auto& [name, value] : tables_[std::string(table)]) all.push_back({name, value});
    return all;
  }
  async::task<base::result<void>> commit(store::changes c) override {
    co_await async::sleep_for(1ms);
    for (auto& change : c) {
      if (change.value) tables_[change.table][change.name] = *change.value;
      else tables_[change.table].erase(change.name);
    }
    co_return base::result<void>();
  }

 private:
  std::map<std::string, std::map<std::string, std::string>> tables_;
};

struct person {
  person(world& w, std::string n, std::string_view address)
      : name(std::move(n)),
        host(w.net.add_host(name, {address})),
        key(crypto::signing_key::generate([this](base::byte_span out) { host.random(out); })) {}

  mesh::node_config config(std::string_view room = {}) {
    auto c = world::node_config(name);
    if (!room.empty()) c.signaling.api_key += "@" + std::string(room);
    c.agent_id = name;
    c.identity = key;
    c.store = &disk;
    return c;
  }
  std::string spoken() const { return mesh::spoken_fingerprint(key.public_key()); }

  std::string name;
  sim::host& host;
  crypto::signing_key key;
  shelf disk;
};

base::json identity_of(const sidecar& at, std::string_view peer) {
  const auto status = at.node.link_status(peer);
  const auto* found = status.find("identity");
  return found != nullptr ? *found : base::json();
}
std::string verdict_of(const sidecar& at, std::string_view peer) { return std::string(identity_of(at, peer).text("verdict")); }
bool is_open(const sidecar& at, std::string_view peer) { return at.node.link_status(peer).text("state") == "open"; }
bool verified(const sidecar& at, std::string_view peer) {
  const auto v = identity_of(at, peer);
  return v.find("verified") != nullptr && v.find("verified")->as_bool() == true;
}

async::task<> until_open(const sidecar& at, std::string peer) {
  while (!is_open(at, peer)) co_await async::sleep_for(10ms);
}

struct answer {
  std::string error;
  std::string fingerprint;
  std::vector<base::json> pins;
};
async::task<answer> ask(sidecar& at, std::string action, std::string peer = {}, std::string fingerprint = {}) {
  auto payload = base::json::make({{"action", std::move(action)}, {"id", "t"}});
  if (!peer.empty()) payload.set("target_peer", std::move(peer));
  if (!fingerprint.empty()) payload.set("fingerprint", std::move(fingerprint));
  (void)co_await at.program->command("trust", std::move(payload));
  answer a;
  for (;;) {
    auto e = co_await at.program->next();
    REQUIRE(e);
    if (e->type == "pin") a.pins.push_back(e->payload);
    if (e->type != "trust") continue;
    a.error = e->payload.text("error");
    a.fingerprint = e->payload.text("fingerprint");
    co_return a;
  }
}

// Ada and Grace with their keys and disks, whose meshds are started and ended as a test wants it.
struct stage {
  world w;
  sly_registry registry{w.registry_host};
  person ada{w, "ada", "192.0.2.1"}, grace{w, "grace", "192.0.2.2"};

  template <class Body>
  void run(Body body) {
    w.net.set_limit(std::chrono::hours(2));
    w.run([&](async::scope& s) -> async::task<> {
      s.spawn("registry", [this] { return registry.run(); });
      co_await body();
    });
  }
  // The body is given a sidecar of each, running with what their disks hold.
  template <class Body>
  async::task<> meet(Body body, std::string adas_room = {}, std::string graces_room = {}) {
    sidecar a(ada.host, "ada", ada.config(adas_room)), g(grace.host, "grace", grace.config(graces_room));
    REQUIRE(a.node.recall());
    REQUIRE(g.node.recall());
    co_await async::with_scope(async::at_end::cancel, [&](async::scope& s) -> async::task<> {
      co_await a.start(s);
      co_await g.start(s);
      co_await body(s, a, g);
    });
    co_await async::sleep_for(1s);
  }
  async::task<> first_contact() {
    co_await meet([](async::scope&, sidecar& a, sidecar& g) -> async::task<> {
      co_await until_open(a, "grace");
      co_await until_open(g, "ada");
      CHECK(verdict_of(a, "grace") == "first contact");
      CHECK_FALSE(verified(a, "grace"));
      co_await async::sleep_for(100ms);
    });
  }
};

void give_sdp(signaling::message& m, const std::function<std::string(std::string)>& change) {
  m.payload.set("sdp", change(std::string(signaling::sdp_of(m.payload))));
}

// Another fingerprint in every description.
void swap_fingerprints(signaling::message& m) {
  give_sdp(m, [](std::string sdp) {
    const auto at = sdp.find("a=fingerprint:");
    REQUIRE(at != std::string::npos);
    const auto end = sdp.find("\r\n", at);
    const auto mallorys = crypto::format(crypto::fingerprint_of(base::as_bytes("mallory's certificate")));
    return sdp.replace(at, end - at, "a=fingerprint:" + mallorys);
  });
}
void strip_signature(signaling::message& m) { m.payload.set("signed", nullptr); }

// Hands on what its program receives to the program of another.
async::task<> hand_on(sidecar& from, sidecar& to, std::string peer, std::vector<std::string>& read) {
  for (;;) {
    auto text = co_await from.next_text();
    read.push_back(text);
    co_await to.send(peer, std::move(text));
  }
}

}  // namespace

TEST_CASE("two meshds that meet again know each other by their keys, after a restart as well") {
  stage t;
  t.run([&]() -> async::task<> {
    co_await t.first_contact();
    co_await t.meet([&](async::scope&, sidecar& a, sidecar& g) -> async::task<> {
      co_await until_open(a, "grace");
      co_await until_open(g, "ada");
      CHECK(verified(a, "grace"));
      CHECK(verified(g, "ada"));
      CHECK(identity_of(a, "grace").text("fingerprint") == t.grace.spoken());
      co_await a.send("grace-sidecar", "hello");
      const auto got = co_await g.wait_for("message");
      CHECK(got.text("from_peer") == "ada-sidecar");
      CHECK(got.find("message")->text("source_agent") == "ada");
    });
  });
}

TEST_CASE("a registry that swaps fingerprints is caught, and the two link when it stops") {
  stage t;
  t.run([&]() -> async::task<> {
    co_await t.first_contact();
    t.registry.change = swap_fingerprints;
    co_await t.meet([&](async::scope&, sidecar& a, sidecar& g) -> async::task<> {
      const auto refused = co_await a.wait_for("identity_refused");
      CHECK(refused.text("error").find("fingerprint") != std::string_view::npos);
      co_await async::sleep_for(5min);
      CHECK_FALSE(is_open(a, "grace"));
      CHECK_FALSE(is_open(g, "ada"));
      CHECK(identity_of(a, "grace").text("refusal").find("somebody on the way") != std::string_view::npos);
      t.registry.change = nullptr;
      co_await until_open(a, "grace");
      co_await until_open(g, "ada");
      CHECK(verified(a, "grace"));
    });
  });
}

TEST_CASE("to take the signatures away does not help against those who have met") {
  stage t;
  t.run([&]() -> async::task<> {
    co_await t.first_contact();
    t.registry.change = [](signaling::message& m) {
      strip_signature(m);
      swap_fingerprints(m);
    };
    co_await t.meet([&](async::scope&, sidecar& a, sidecar& g) -> async::task<> {
      (void)co_await a.wait_for("identity_refused");
      co_await async::sleep_for(5min);
      CHECK_FALSE(is_open(a, "grace"));
      CHECK_FALSE(is_open(g, "ada"));
    });
  });
}

TEST_CASE("a whole man in the middle passes at first contact only; whoever met before refuses him") {
  for (const bool met_before : {false, true}) {
    CAPTURE(met_before);
    stage t;
    person false_grace(t.w, "false-grace", "192.0.2.11"), false_ada(t.w, "false-ada", "192.0.2.12");
    false_grace.name = "grace";
    false_ada.name = "ada";
    t.run([&]() -> async::task<> {
      if (met_before) co_await t.first_contact();
      // The registry shows each of them a helper of its own under the other's name.
      sidecar fg(false_grace.host, "false-grace", false_grace.config("one")),
          fa(false_ada.host, "false-ada", false_ada.config("two"));
      fg.path = "/run/grace";
      fa.path = "/run/ada";
      std::vector<std::string> read;
      co_await async::with_scope(async::at_end::cancel, [&](async::scope& helpers) -> async::task<> {
        co_await fg.start(helpers);
        co_await fa.start(helpers);
        helpers.spawn("from ada to grace", [&] { return hand_on(fg, fa, "grace", read); });
        co_await t.meet(
            [&](async::scope&, sidecar& a, sidecar& g) -> async::task<> {
              if (!met_before) {
                co_await until_open(a, "grace");
                co_await until_open(g, "ada");
                co_await a.send("grace", "a secret");
                CHECK(co_await g.next_text() == "a secret");
                CHECK(read == std::vector<std::string>{"a secret"});
                // What the two would find when they compare aloud.
                CHECK(identity_of(a, "grace").text("fingerprint") == false_grace.spoken());
                CHECK(identity_of(a, "grace").text("fingerprint") != t.grace.spoken());
                co_return;
              }
              const auto refused = co_await a.wait_for("identity_refused");
              CHECK(refused.text("peer_id") == "grace-sidecar");
              CHECK(refused.text("error").find("another key") != std::string_view::npos);
              co_await async::sleep_for(5min);
              CHECK_FALSE(is_open(a, "grace"));
              CHECK_FALSE(is_open(g, "ada"));
              CHECK(read.empty());
              const auto shown = co_await ask(a, "show", "grace");
              REQUIRE(shown.pins.size() == 1);
              CHECK(shown.pins[0].text("fingerprint") == t.grace.spoken());
              CHECK(shown.pins[0].text("refused") == false_grace.spoken());
            },
            "one", "two");
      });
    });
  }
}

TEST_CASE("a peer with a new key is refused until a person accepts it") {
  stage t;
  t.run([&]() -> async::task<> {
    co_await t.first_contact();
    t.grace.key = crypto::signing_key::generate([&](base::byte_span out) { t.grace.host.random(out); });
    co_await t.meet([&](async::scope&, sidecar& a, sidecar&) -> async::task<> {
      (void)co_await a.wait_for("identity_refused");
      CHECK((co_await ask(a, "accept", "grace", "11111 11111 11111 11111 11111 11111")).error.find("no key") !=
            std::string::npos);
      CHECK_FALSE(is_open(a, "grace"));
      const auto accepted = co_await ask(a, "accept", "grace-sidecar", t.grace.spoken());
      CHECK(accepted.error.empty());
      REQUIRE(accepted.pins.size() == 1);
      CHECK(accepted.pins[0].text("fingerprint") == t.grace.spoken());
      co_await until_open(a, "grace");
      CHECK(verified(a, "grace"));
    });
    co_await t.meet([&](async::scope&, sidecar& a, sidecar&) -> async::task<> {
      co_await until_open(a, "grace");
      CHECK(verified(a, "grace"));
    });
  });
}

TEST_CASE("a peer that is forgotten is met as if for the first time") {
  stage t;
  t.run([&]() -> async::task<> {
    co_await t.first_contact();
    t.grace.key = crypto::signing_key::generate([&](base::byte_span out) { t.grace.host.random(out); });
    co_await t.meet([&](async::scope&, sidecar& a, sidecar&) -> async::task<> {
      (void)co_await a.wait_for("identity_refused");
      CHECK((co_await ask(a, "forget", "grace")).error.empty());
      co_await until_open(a, "grace");
      CHECK(verdict_of(a, "grace") == "first contact");
      CHECK((co_await ask(a, "list")).pins.size() == 1);
      CHECK((co_await ask(a, "own")).fingerprint == t.ada.spoken());
      CHECK_FALSE((co_await ask(a, "forget", "nobody")).error.empty());
      CHECK_FALSE((co_await ask(a, "dance")).error.empty());
    });
  });
}

TEST_CASE("a meshd without a key links with everybody who was never known by one") {
  stage t;
  t.run([&]() -> async::task<> {
    sidecar a(t.ada.host, "ada", t.ada.config()), plain(t.grace.host, "grace", world::node_config("grace"));
    co_await async::with_scope(async::at_end::cancel, [&](async::scope& s) -> async::task<> {
      co_await a.start(s);
      co_await plain.start(s);
      co_await until_open(a, "grace");
      co_await until_open(plain, "ada");
      CHECK(verdict_of(a, "grace") == "not signed");
      CHECK(verdict_of(plain, "ada") == "first contact");
      CHECK((co_await ask(a, "list")).pins.empty());
      CHECK_FALSE((co_await ask(plain, "own")).error.empty());
    });
  });
}

TEST_CASE("a restart of the path that is not signed by the peer is refused, and the connection goes on") {
  stage t;
  t.run([&]() -> async::task<> {
    co_await t.meet([&](async::scope&, sidecar& a, sidecar& g) -> async::task<> {
      co_await until_open(a, "grace");
      co_await until_open(g, "ada");
      t.registry.change = strip_signature;
      t.ada.host.remove_address(t.ada.host.address());
      t.ada.host.add_address("wlan0", "198.51.100.7");
      while (identity_of(g, "ada").find("refused")->as_int() == 0) co_await async::sleep_for(10ms);
      CHECK(is_open(g, "ada"));
      t.registry.change = nullptr;
      co_await async::sleep_for(20s);
      CHECK(is_open(a, "grace"));
      CHECK(a.node.link_status("grace").find("opened")->as_int() == 1);
      co_await a.send("grace", "still here");
      CHECK(co_await g.next_text() == "still here");
    });
  });
}

TEST_CASE("rules refuse what a peer may not send, and a request is answered with the reason") {
  stage t;
  t.run([&]() -> async::task<> {
    auto c = t.grace.config();
    c.rules = *mesh::peer_rules::parse(R"({"peers":{"ada-sidecar":{"not_skills":["shell"]}},"most_hops":2})");
    sidecar a(t.ada.host, "ada", t.ada.config()), g(t.grace.host, "grace", c);
    co_await async::with_scope(async::at_end::cancel, [&](async::scope& s) -> async::task<> {
      co_await a.start(s);
      co_await g.start(s);
      co_await until_open(a, "grace");
      co_await until_open(g, "ada");
      const auto request = [&](std::string id, std::string skill, base::json hops) -> async::task<> {
        auto payload = base::json::make({{"skill", std::move(skill)}, {"hops", std::move(hops)}});
        auto m = base::json::make({{"type", "task_request"},
                                   {"request_id", std::move(id)},
                                   {"source_agent", "the-boss"},
                                   {"payload", std::move(payload)}});
        (void)co_await a.program->command("send", base::json::make({{"target_peer", "grace"}, {"message", std::move(m)}}));
      };
      co_await request("r1", "shell", nullptr);
      const auto refused = co_await a.wait_for("message");
      CHECK(refused.find("message")->text("request_id") == "r1");
      CHECK(refused.find("message")->find("payload")->text("error").find("shell") != std::string_view::npos);
      co_await request("r2", "add", 2);  // the third hop
      const auto too_far = co_await a.wait_for("message");
      CHECK(too_far.find("message")->find("payload")->text("error").find("too many agents") != std::string_view::npos);
      co_await request("r3", "add", 1);
      const auto taken = co_await g.wait_for("message");
      CHECK(taken.find("message")->text("request_id") == "r3");
      CHECK(taken.find("message")->text("source_agent") == "ada");
      CHECK(taken.find("message")->find("payload")->find("hops")->as_int() == 2);
      CHECK(g.node.status().find("refused_by_rules")->as_int() == 2);
    });
  });
}
