// Short-term credentials: what both sides of an ICE check, and any client that knows a password, have to keep to.
#include "stun/short_term.hpp"

#include "exchange.hpp"
#include "stun/server_auth.hpp"

using namespace strata;
using namespace strata::stun;
using namespace strata::test;

namespace {

const std::string name = "evtj:h6vY", password = "VOkJxbRl1RmTxUk/WvJxBt";
const auto key = short_term_key(password);
const auto find = [](std::string_view who) { return who == name ? std::optional(key) : std::nullopt; };

std::unique_ptr<session> login(integrity_choice known = integrity_choice::both) {
  return std::make_unique<short_term_session>(name, password, known);
}

base::bytes signed_request(integrity_choice how, const integrity_key& with = key, std::string_view who = name,
                           message_class c = message_class::request) {
  base::bytes out;
  message_writer w(out, {c, method::binding}, {});
  if (!who.empty()) w.add(username{who});
  if (how == integrity_choice::both) w.integrity(with).integrity_sha256(with);
  else if (how == integrity_choice::sha1) w.integrity(with);
  else w.integrity_sha256(with);
  return out;
}

int refusal(const base::bytes& m) { return admit_short_term(*message_view::parse(m), find).refusal; }

}  // namespace

// req: 8489-9.1.2-a 8489-9.1.5-a
TEST_CASE("the first request offers both algorithms, the next only the one the server answered with") {
  exchange x;
  const auto r = x.run(
      [&](const message_view& m, const base::endpoint& from) -> std::optional<base::bytes> {
        const auto a = admit_short_term(m, find);
        CHECK(a.admitted());
        return succeed(m, from, [&](message_writer& w) { a.sign(w); });
      },
      {}, login(),
      [&](client& c) -> async::task<base::result<binding_result>> {
        CHECK(co_await c.binding(x.server));
        co_return co_await c.binding(x.server);
      });
  REQUIRE(r);
  CHECK(x.request(0).get<username>()->text == name);
  CHECK(x.request(0).integrity_offset());
  CHECK(x.request(0).integrity_sha256_offset());
  CHECK_FALSE(x.request(1).integrity_offset());
  CHECK(x.request(1).integrity_sha256_offset());
}

// req: 8489-9.1.2-b
TEST_CASE("with a known algorithm a request carries exactly that") {
  for (const auto how : {integrity_choice::sha1, integrity_choice::sha256}) {
    base::bytes out;
    message_writer w(out, {}, {});
    short_term_session s(name, password, how);
    s.sign(w);
    const auto m = *message_view::parse(out);
    CHECK(m.has(attribute_type::username));
    CHECK(m.integrity_offset().has_value() == (how == integrity_choice::sha1));
    CHECK(m.integrity_sha256_offset().has_value() == (how == integrity_choice::sha256));
  }
}

// req: 8489-9.1.4-a
TEST_CASE("an answer in another algorithm than the one that was asked in is dropped") {
  exchange x;
  const auto r = x.binding(
      [&](const message_view& m, const base::endpoint& from) -> std::optional<base::bytes> {
        return succeed(m, from, [&](message_writer& w) { w.integrity_sha256(key); });
      },
      {.rc = 2, .rm = 1}, login(integrity_choice::sha1));
  CHECK(r.error() == make_error_code(errc::bad_integrity));
  CHECK(x.requests.size() == 2);
}

// req: 8489-9.1.4-b 8489-9.1.4-c
TEST_CASE("forged answers do not stop the retransmissions, and are the reason when there was nothing else") {
  for (const bool real : {true, false}) {
    exchange x;
    const auto r = x.binding(
        [&](const message_view& m, const base::endpoint& from) -> std::optional<base::bytes> {
          return succeed(
              m, from, [&](message_writer& w) { w.integrity(real && x.requests.size() == 2 ? key : short_term_key("guess")); });
        },
        {.rc = 3, .rm = 1}, login(integrity_choice::sha1));
    CHECK(r.has_value() == real);
    CHECK(x.requests.size() == (real ? 2 : 3));
    if (!real) CHECK(r.error() == make_error_code(errc::bad_integrity));
  }
}

// req: 8489-9.1.3-a 8489-9.1.3-c 8489-9.1.3-d 8489-9.1.3-e
TEST_CASE("a server says 400 to what is incomplete and 401 to what does not fit") {
  CHECK(refusal(signed_request(integrity_choice::sha1)) == 0);
  CHECK(refusal(signed_request(integrity_choice::sha256)) == 0);
  CHECK(refusal(signed_request(integrity_choice::both)) == 0);
  CHECK(refusal(signed_request(integrity_choice::sha1, key, "")) == 400);
  base::bytes bare;
  message_writer(bare, {}, {}).add(username{name});
  CHECK(refusal(bare) == 400);
  CHECK(refusal(signed_request(integrity_choice::sha1, key, "some:body")) == 401);
  CHECK(refusal(signed_request(integrity_choice::sha1, short_term_key("guess"))) == 401);

  auto flipped = signed_request(integrity_choice::sha1);
  flipped.back() ^= 1;
  CHECK(refusal(flipped) == 401);
  // The SHA-256 code decides, even when the SHA-1 code beside it is right.
  auto weaker_right = signed_request(integrity_choice::both);
  weaker_right.back() ^= 1;
  CHECK(refusal(weaker_right) == 401);
}

// req: 8489-9.1.3-b
TEST_CASE("an indication without credentials is not admitted and gets no answer") {
  base::bytes bare;
  message_writer(bare, {message_class::indication, method::binding}, {});
  const auto a = admit_short_term(*message_view::parse(bare), find);
  CHECK_FALSE(a.admitted());
  CHECK(
      admit_short_term(*message_view::parse(signed_request(integrity_choice::sha1, key, name, message_class::indication)), find)
          .admitted());
}

// req: 8489-9.1.3-f 8489-9.1.3-g 8489-6.3.1.1-c
TEST_CASE("an answer is closed with the algorithm of the request and never names the user") {
  for (const auto how : {integrity_choice::sha1, integrity_choice::sha256, integrity_choice::both}) {
    const auto request = signed_request(how);
    const auto m = *message_view::parse(request);
    const auto a = admit_short_term(m, find);
    const auto answer = succeed(m, *base::endpoint::parse("192.0.2.1:1"), [&](message_writer& w) { a.sign(w); });
    const auto v = *message_view::parse(answer);
    CHECK_FALSE(v.has(attribute_type::username));
    CHECK(v.integrity_offset().has_value() == (how == integrity_choice::sha1));
    CHECK(v.integrity_sha256_offset().has_value() == (how != integrity_choice::sha1));
    CHECK(check_integrity(v, key));
  }
}

// req: 8489-9.1.3-h
TEST_CASE("a refusal carries neither integrity nor a name") {
  const auto request = signed_request(integrity_choice::sha1, short_term_key("guess"));
  const auto m = *message_view::parse(request);
  const auto a = admit_short_term(m, find);
  const auto answer = refuse(m, a.refusal, [&](message_writer& w) { a.sign(w); });
  const auto v = *message_view::parse(answer);
  CHECK_FALSE(v.integrity_offset());
  CHECK_FALSE(v.integrity_sha256_offset());
  CHECK_FALSE(v.has(attribute_type::username));
}

// req: 8489-14.6-b
TEST_CASE("a truncated SHA-256 code counts only where the usage allows it") {
  for (const std::size_t length : {16u, 20u, 24u, 28u, 32u}) {
    base::bytes out;
    message_writer w(out, {}, {});
    w.add(username{name}).integrity_sha256(key, length);
    const auto m = *message_view::parse(out);
    CHECK(check_message_integrity_sha256(m, key, 16));
    CHECK(check_message_integrity_sha256(m, key).has_value() == (length == 32));
  }
}
