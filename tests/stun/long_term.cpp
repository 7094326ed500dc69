// Long-term credentials between a client and a server: the challenge, the retry, and everybody who tampers in between.
#include "stun/long_term.hpp"

#include "base/hex.hpp"
#include "exchange.hpp"
#include "stun/opaque_string.hpp"
#include "stun/server_auth.hpp"

using namespace strata;
using namespace strata::stun;
using namespace strata::test;

namespace {

const std::string user = "user", pass = "pass", home = "realm";

long_term_gate gate(long_term_gate::config c = {.realm = home}) {
  return {std::move(c), base::to_bytes("the server's secret"),
          [](std::string_view name) { return name == user ? std::optional(long_term_gate::user{user, pass}) : std::nullopt; },
          [](const userhash& h) {
            return h == hash_username(user, home) ? std::optional(long_term_gate::user{user, pass}) : std::nullopt;
          }};
}

std::unique_ptr<session> login(std::string password = pass) { return std::make_unique<long_term_session>(user, password); }

// A server that asks everybody who they are.
struct guarded {
  exchange x;
  long_term_gate door = gate();
  std::vector<int> refusals;
  std::optional<base::bytes> operator()(const message_view& m, const base::endpoint& from) {
    const auto a = door.admit(m, from, x.net.now());
    refusals.push_back(a.refusal);
    if (a.admitted()) return succeed(m, from, [&](message_writer& w) { a.sign(w); });
    return refuse(m, a.refusal, [&](message_writer& w) {
      if (a.refusal != 400) door.challenge(w, from, x.net.now());
    });
  }
};

bool any_credential(const message_view& m) {
  for (const auto t : {attribute_type::username, attribute_type::userhash, attribute_type::realm, attribute_type::nonce,
                       attribute_type::password_algorithms, attribute_type::password_algorithm,
                       attribute_type::message_integrity, attribute_type::message_integrity_sha256}) {
    if (m.has(t)) return true;
  }
  return false;
}

// A hand-made challenge.
base::bytes challenge(const message_view& m, std::string_view n, const std::vector<std::uint8_t>& algorithms = {},
                      int code = 401) {
  return refuse(m, code, [&](message_writer& w) {
    w.add(realm{home}).add(nonce{n});
    if (!algorithms.empty()) w.add(password_algorithms{algorithms});
  });
}
const std::vector<std::uint8_t> sha256_then_md5{0, 2, 0, 0, 0, 1, 0, 0}, unknown_then_md5{0x12, 0x34, 0, 0, 0, 1, 0, 0},
    unknown_only{0x12, 0x34, 0, 0};
const std::string plain_nonce = "f//499k954d6OL34oL9FSTvy64sA";

}  // namespace

// req: 8489-9.2.3.1-a 8489-9.2.3.2-a 8489-9.2.3.2-b 8489-9.2.4-a 8489-9.2.5-j 8489-9.2-a 8489-6.3.1.1-c
TEST_CASE("the first request is bare, the challenged one carries everything, and its successors start from there") {
  guarded g;
  const auto r = g.x.run(std::ref(g), {}, login(), [&](client& c) -> async::task<base::result<binding_result>> {
    CHECK(co_await c.binding(g.x.server));
    co_return co_await c.binding(g.x.server);
  });
  REQUIRE(r);
  REQUIRE(g.x.requests.size() == 3);
  CHECK(g.refusals == std::vector<int>{401, 0, 0});
  CHECK_FALSE(any_credential(g.x.request(0)));
  for (const std::size_t n : {1u, 2u}) {
    const auto m = g.x.request(n);
    CHECK(m.get<userhash>());  // the server's nonce asks for anonymity
    CHECK_FALSE(m.has(attribute_type::username));
    CHECK(m.get<realm>()->text == home);
    CHECK(m.get<nonce>()->text.starts_with("obMatJos2"));
    CHECK(m.get<password_algorithm>()->algorithm == algorithm::sha256);
    CHECK(std::ranges::equal(m.get<password_algorithms>()->wire_form, sha256_then_md5));
    CHECK(m.integrity_sha256_offset());
    CHECK_FALSE(m.integrity_offset());
  }
}

// req: 8489-9.2.2-a
TEST_CASE("the long-term key of user, realm, pass is the digest printed in the RFC") {
  const auto digest = crypto::md5(base::as_bytes("user:realm:pass"));
  CHECK(base::to_hex(digest) == "8493fbc53ba582fb4c044c456bdc40eb");
  base::bytes out;
  message_writer w(out, {}, {});
  w.integrity(integrity_key(digest));
  CHECK(check_integrity(*message_view::parse(out), long_term_key("user", "realm", "pass")));
}

// req: 8489-9.2.5-c 8489-9.2.5-b
TEST_CASE("an older server is answered with USERNAME and MD5, and its realm and nonce byte by byte") {
  exchange x;
  const auto key = long_term_key(user, home, pass);
  const auto r = x.binding(
      [&](const message_view& m, const base::endpoint& from) -> std::optional<base::bytes> {
        if (!m.integrity_offset()) return challenge(m, plain_nonce);
        CHECK(check_integrity(m, key));
        return succeed(m, from, [&](message_writer& w) { w.integrity(key); });
      },
      {}, login());
  REQUIRE(r);
  const auto m = x.request(1);
  CHECK(m.get<username>()->text == user);
  CHECK(m.get<realm>()->text == home);
  CHECK(m.get<nonce>()->text == plain_nonce);
  CHECK_FALSE(m.has(attribute_type::password_algorithm));
}

// req: 8489-9.2.5-b
TEST_CASE("the anonymity bit is understood in either order of the bits") {
  for (const auto& [bits, hidden] : {std::pair{"QAAA", true}, std::pair{"AAAC", true}, std::pair{"AAAA", false}}) {
    exchange x;
    (void)x.binding(
        [&](const message_view& m, const base::endpoint&) -> std::optional<base::bytes> {
          return challenge(m, std::string("obMatJos2") + bits + plain_nonce);
        },
        {.rc = 1, .rm = 1}, login());
    REQUIRE(x.requests.size() == 2);
    CHECK(x.request(1).has(attribute_type::userhash) == hidden);
    CHECK(x.request(1).has(attribute_type::username) != hidden);
  }
}

// req: 8489-9.2.5-a
TEST_CASE("a challenge whose nonce announces algorithms and whose list is gone is not answered") {
  for (const auto* bits : {"gAAA", "AAAB"}) {
    for (const int code : {401, 438}) {
      exchange x;
      const auto r = x.binding(
          [&](const message_view& m, const base::endpoint&) -> std::optional<base::bytes> {
            return challenge(m, std::string("obMatJos2") + bits + plain_nonce, {}, code);
          },
          {}, login());
      CHECK(r.error() == make_error_code(errc::bid_down));
      CHECK(x.requests.size() == 1);
    }
  }
}

// req: 8489-9.2.5-d
TEST_CASE("the first known algorithm of the server's list is taken and the list given back unchanged") {
  for (const auto& [list, chosen] :
       {std::pair{sha256_then_md5, algorithm::sha256}, std::pair{unknown_then_md5, algorithm::md5}}) {
    exchange x;
    (void)x.binding(
        [&](const message_view& m, const base::endpoint&) -> std::optional<base::bytes> {
          return challenge(m, "obMatJos2gAAB" + plain_nonce, list);
        },
        {.rc = 1, .rm = 1}, login());
    REQUIRE(x.requests.size() == 2);
    CHECK(x.request(1).get<password_algorithm>()->algorithm == chosen);
    CHECK(std::ranges::equal(x.request(1).get<password_algorithms>()->wire_form, list));
    CHECK(check_message_integrity_sha256(x.request(1), long_term_key(user, home, pass, chosen)));
  }
}

// req: 8489-9.2.5-e
TEST_CASE("a list without any known algorithm ends the exchange") {
  exchange x;
  const auto r = x.binding(
      [&](const message_view& m, const base::endpoint&) -> std::optional<base::bytes> {
        return challenge(m, "obMatJos2gAAB" + plain_nonce, unknown_only);
      },
      {}, login());
  CHECK(r.error() == make_error_code(errc::no_common_algorithm));
  CHECK(x.requests.size() == 1);
}

// req: 8489-9.2.5-f 8489-9.2.4-e
TEST_CASE("a wrong password is tried once") {
  guarded g;
  const auto r = g.x.binding(std::ref(g), {}, login("wrong"));
  CHECK(r.error() == make_error_code(errc::bad_credentials));
  CHECK(g.refusals == std::vector<int>{401, 401});
}

// req: 8489-9.2.5-g 8489-9.2.4-f
TEST_CASE("a stale nonce is replaced and the request goes through") {
  guarded g;
  g.door = gate({.realm = home, .nonce_lifetime = 10s});
  const auto r = g.x.run(std::ref(g), {}, login(), [&](client& c) -> async::task<base::result<binding_result>> {
    CHECK(co_await c.binding(g.x.server));
    co_await async::sleep_for(60s);
    co_return co_await c.binding(g.x.server);
  });
  CHECK(r);
  CHECK(g.refusals == std::vector<int>{401, 0, 438, 0});
  CHECK(g.x.request(2).get<nonce>()->text != g.x.request(3).get<nonce>()->text);
}

// req: 8489-9.2.5-h
TEST_CASE("any other answer with such a nonce and no list is ignored") {
  exchange x;
  int answers = 0;
  const auto r = x.binding(
      [&](const message_view& m, const base::endpoint& from) -> std::optional<base::bytes> {
        return succeed(m, from, [&](message_writer& w) {
          if (answers++ == 0) w.add(nonce{"obMatJos2gAAA" + plain_nonce});
        });
      },
      {}, login());
  CHECK(r);
  CHECK(x.requests.size() == 2);
}

// req: 8489-9.2.5-i
TEST_CASE("a 400 that nobody signed is as if it had never come") {
  exchange x;
  const auto key = long_term_key(user, home, pass);
  int signed_requests = 0;
  const auto r = x.binding(
      [&](const message_view& m, const base::endpoint& from) -> std::optional<base::bytes> {
        if (!m.integrity_offset()) return challenge(m, plain_nonce);
        if (signed_requests++ == 0) return refuse(m, 400);
        return succeed(m, from, [&](message_writer& w) { w.integrity(key); });
      },
      {}, login());
  CHECK(r);
  CHECK(x.requests.size() == 3);
  CHECK(x.request(1).transaction_id() == x.request(2).transaction_id());
}

TEST_CASE("an answer signed with another key, or not at all, is no answer") {
  for (const bool with_integrity : {true, false}) {
    exchange x;
    const auto r = x.binding(
        [&](const message_view& m, const base::endpoint& from) -> std::optional<base::bytes> {
          if (!m.integrity_offset()) return challenge(m, plain_nonce);
          return succeed(m, from, [&](message_writer& w) {
            if (with_integrity) w.integrity(short_term_key("guess"));
          });
        },
        {.rc = 2, .rm = 1}, login());
    CHECK(r.error() == make_error_code(with_integrity ? errc::bad_integrity : errc::unauthenticated));
  }
}

// req: 8489-10-a
TEST_CASE("a signed redirection is followed with the same credentials") {
  exchange x;
  const auto key = long_term_key(user, home, pass);
  const auto r = x.binding(
      [&](const message_view& m, const base::endpoint& from) -> std::optional<base::bytes> {
        if (!m.integrity_offset()) return challenge(m, plain_nonce);
        CHECK(check_integrity(m, key));
        if (x.asked.back() == x.second_server) return succeed(m, from, [&](message_writer& w) { w.integrity(key); });
        return refuse(m, 300, [&](message_writer& w) { w.add(alternate_server{x.second_server}).integrity(key); });
      },
      {}, login());
  REQUIRE(r);
  CHECK(r->server == x.second_server);
  CHECK(x.asked == std::vector{x.server, x.server, x.second_server, x.second_server});
}

// req: 8489-10-b
TEST_CASE("two servers that point at each other are given up after one round") {
  exchange x;
  const auto key = long_term_key(user, home, pass);
  const auto r = x.binding(
      [&](const message_view& m, const base::endpoint&) -> std::optional<base::bytes> {
        if (!m.integrity_offset()) return challenge(m, plain_nonce);
        const auto other = x.asked.back() == x.server ? x.second_server : x.server;
        return refuse(m, 300, [&](message_writer& w) { w.add(alternate_server{other}).integrity(key); });
      },
      {}, login());
  CHECK(r.error() == make_error_code(errc::redirect_loop));
  CHECK(x.requests.size() == 4);
}

// req: 8489-9.2.4-b
TEST_CASE("every client address is given its own nonce, and another's is stale") {
  const auto door = gate();
  const base::instant now(1h);
  const auto a = *base::endpoint::parse("192.0.2.7:1000"), b = *base::endpoint::parse("192.0.2.7:1001");
  const auto nonce_for = [&](const base::endpoint& to) {
    base::bytes out;
    message_writer w(out, {message_class::error, method::binding}, {});
    door.challenge(w, to, now);
    return std::string(message_view::parse(out)->get<nonce>()->text);
  };
  CHECK(nonce_for(a) != nonce_for(b));
  base::bytes out;
  message_writer w(out, {}, {});
  const auto foreign = nonce_for(a);
  w.add(username{user}).add(realm{home}).add(nonce{foreign});
  w.integrity(long_term_key(user, home, pass));
  CHECK(door.admit(*message_view::parse(out), a, now).admitted());
  CHECK(door.admit(*message_view::parse(out), b, now).refusal == 438);
  CHECK(door.admit(*message_view::parse(out), a, now + 2h).refusal == 438);
  CHECK(door.admit(*message_view::parse(out), a, now - 1s).refusal == 438);
}

// req: 8489-9.2.4-c 8489-9.2.4-d 8489-9.2.4-e
TEST_CASE("a server refuses requests with parts missing or algorithms tampered with") {
  const auto door = gate();
  const base::instant now(1h);
  const auto from = *base::endpoint::parse("192.0.2.7:1000");
  base::bytes answer;
  message_writer a(answer, {message_class::error, method::binding}, {});
  door.challenge(a, from, now);
  const auto offered = *message_view::parse(answer);
  const auto n = *offered.get<nonce>();
  const auto list = *offered.get<password_algorithms>();
  struct row {
    const char* what;
    bool name, realm, nonce, list, choice;
    std::vector<std::uint8_t> other_list;
    algorithm chosen;
    const char* password;
    int refusal;
  };
  const row rows[] = {
      {"complete", true, true, true, true, true, {}, algorithm::sha256, "pass", 0},
      {"MD5 chosen", true, true, true, true, true, {}, algorithm::md5, "pass", 0},
      {"no algorithm attributes means MD5", true, true, true, false, false, {}, algorithm::md5, "pass", 0},
      {"no USERNAME", false, true, true, true, true, {}, algorithm::sha256, "pass", 400},
      {"no REALM", true, false, true, true, true, {}, algorithm::sha256, "pass", 400},
      {"no NONCE", true, true, false, true, true, {}, algorithm::sha256, "pass", 400},
      {"choice without list", true, true, true, false, true, {}, algorithm::sha256, "pass", 400},
      {"list without choice", true, true, true, true, false, {}, algorithm::sha256, "pass", 400},
      {"another list", true, true, true, true, true, {0, 1, 0, 0}, algorithm::md5, "pass", 400},
      {"a choice outside the list", true, true, true, true, true, {}, algorithm{7}, "pass", 400},
      {"wrong password", true, true, true, true, true, {}, algorithm::sha256, "word", 401},
  };
  for (const auto& r : rows) {
    CAPTURE(r.what);
    base::bytes out;
    message_writer w(out, {}, {});
    if (r.name) w.add(username{user});
    if (r.realm) w.add(realm{home});
    if (r.nonce) w.add(n);
    if (r.list) w.add(r.other_list.empty() ? list : password_algorithms{r.other_list});
    if (r.choice) w.add(password_algorithm{r.chosen, {}});
    w.integrity_sha256(long_term_key(user, home, r.password, r.chosen));
    CHECK(door.admit(*message_view::parse(out), from, now).refusal == r.refusal);
  }
}

TEST_CASE("the bits of a nonce cookie are read in both orders and written in both") {
  CHECK_FALSE(read_nonce_cookie("obMatJos3AAAA"));
  CHECK_FALSE(read_nonce_cookie("obMatJos2AAA"));
  CHECK_FALSE(read_nonce_cookie("obMatJos2A*AA"));
  for (const bool algorithms : {false, true}) {
    for (const bool anonymity : {false, true}) {
      const security_features f{algorithms, anonymity};
      CHECK(read_nonce_cookie(make_nonce_cookie(f)) == f);
    }
  }
  CHECK(make_nonce_cookie({true, true}) == "obMatJos2wAAD");
  CHECK(read_nonce_cookie("obMatJos2gAAA") == security_features{true, false});
  CHECK(read_nonce_cookie("obMatJos2AAAB") == security_features{true, false});
}

TEST_CASE("text is prepared as OpaqueString where it can be, and refused where it cannot") {
  CHECK(*opaque_string("TheMatrIX") == "TheMatrIX");
  CHECK(*opaque_string("pass word\xc2\xa0!\xe3\x80\x80") == "pass word ! ");
  CHECK(*opaque_string("\xe3\x83\x9e\xf0\x9f\x99\x82") == "\xe3\x83\x9e\xf0\x9f\x99\x82");
  struct row {
    const char* text;
    std::size_t offset;
  };
  for (const auto& [text, offset] : {row{"", 0}, row{"a\x01", 1}, row{"a\x7f", 1}, row{"ab\xc2\xad", 2}, row{"\xe2\x80\x8b", 0},
                                     row{"a\xff", 1}, row{"\xc0\x80", 0}, row{"\xed\xa0\x80", 0}, row{"\xe3\x83", 0},
                                     row{"\xf5\x80\x80\x80", 0}, row{"\xef\xbf\xbf", 0}, row{"\xee\x80\x80", 0}}) {
    const auto r = opaque_string(text);
    REQUIRE_FALSE(r);
    CHECK(r.error().offset == offset);
  }
}
