#include "ice/check_message.hpp"

#include <doctest/doctest.h>

#include "stun/attributes.hpp"
#include "stun/fingerprint.hpp"
#include "stun/message_writer.hpp"

using namespace strata;
using namespace strata::ice;

namespace {

const auto key = stun::short_term_key("the password of the receiver");
const stun::transaction_id id{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};

// A request built attribute by attribute; signed when asked for.
template <class Add>
base::bytes request(Add add, bool sign = true) {
  base::bytes out;
  stun::message_writer w(out, {stun::message_class::request, stun::method::binding}, id);
  add(w);
  if (sign) w.integrity(key).fingerprint();
  else w.fingerprint();
  return out;
}

received_check read(const base::bytes& wire, const stun::integrity_key& with = key) {
  const auto m = stun::message_view::parse(wire);
  REQUIRE(m);
  return read_check(*m, "ours", with);
}

}  // namespace

// req: 8445-7.2.2-a, 8445-7.1.3-a, 8445-7.2.4-a, 8445-16.1-b
TEST_CASE("a check says who asks whom, which role, which priority, and is signed") {
  for (const bool controlling : {true, false}) {
    const auto wire = encode_check({check_username("ours", "theirs"), 1234, {controlling, 99}, false}, id, key);
    const auto m = stun::message_view::parse(wire);
    REQUIRE(m);
    CHECK(m->get<stun::username>()->text == "ours:theirs");
    CHECK(m->get<stun::priority>()->value == 1234);
    CHECK(stun::check_message_integrity(*m, key));
    CHECK(stun::check_fingerprint(*m) == stun::fingerprint_check::valid);
    CHECK(m->has(stun::attribute_type::ice_controlling) == controlling);
    CHECK(m->has(stun::attribute_type::ice_controlled) == !controlling);
    const auto c = read(wire);
    CHECK(c.refuse == 0);
    CHECK(c.priority == 1234);
    CHECK(c.sender->controlling == controlling);
    CHECK(c.sender->tie_breaker == 99);
    CHECK_FALSE(c.use_candidate);
  }
}

// req: 8445-7.1.2-a, 8445-7.1.2-b
TEST_CASE("only the controlling side nominates") {
  CHECK(read(encode_check({"ours:x", 1, {true, 9}, true}, id, key)).use_candidate);
  CHECK_FALSE(read(encode_check({"ours:x", 1, {false, 9}, true}, id, key)).use_candidate);
}

// req: 8445-7.3-b, 8445-7.3-c
TEST_CASE("a check with wrong credentials is refused, whatever else it says") {
  const auto with_name = [](std::string_view name) {
    return [name](stun::message_writer& w) { w.add(stun::username{name}).add(stun::priority{1}); };
  };
  CHECK(read(request(with_name("ours:whoever they are"))).refuse == 0);
  CHECK(read(request(with_name("ours:theirs"), false)).refuse == 400);
  CHECK(read(request([](stun::message_writer& w) { w.add(stun::priority{1}); })).refuse == 400);
  CHECK(read(request(with_name("others:theirs"))).refuse == 401);
  CHECK(read(request(with_name("ours"))).refuse == 401);
  CHECK(read(request(with_name(":ours"))).refuse == 401);
  CHECK(read(request(with_name("oursx:theirs"))).refuse == 401);
  CHECK(read(request(with_name("ours:theirs")), stun::short_term_key("another password")).refuse == 401);
  auto changed = request(with_name("ours:theirs"));
  changed[26] ^= 1;  // inside USERNAME's other half
  CHECK(read(changed).refuse == 401);
}

TEST_CASE("a check with an attribute that must be understood and is not is answered 420, one that may be ignored is accepted") {
  const std::array<std::uint8_t, 4> value{};
  CHECK(read(request([&](stun::message_writer& w) {
          w.add(stun::username{"ours:x"}).add(stun::priority{1}).add(stun::attribute_type{0x7f01}, value);
        })).refuse == 420);
  CHECK(read(request([&](stun::message_writer& w) {
          w.add(stun::username{"ours:x"}).add(stun::priority{1}).add(stun::attribute_type::goog_network_info, value);
        })).refuse == 0);
}

TEST_CASE("a check needs a priority in range") {
  const auto with = [](std::uint32_t p) {
    return request([p](stun::message_writer& w) { w.add(stun::username{"ours:x"}).add(stun::priority{p}); });
  };
  CHECK(read(with(0x7fffffff)).refuse == 0);
  CHECK(read(with(0)).refuse == 400);
  CHECK(read(with(0x80000000)).refuse == 400);
  CHECK(read(request([](stun::message_writer& w) { w.add(stun::username{"ours:x"}); })).refuse == 400);
}

// req: 8445-7.3-h, 8445-16.2-a
TEST_CASE("answers are signed and have a fingerprint; 400 and 401 cannot be signed") {
  const auto asked = encode_check({"ours:x", 1, {true, 9}, false}, id, key);
  const auto m = *stun::message_view::parse(asked);
  const base::endpoint mapped{base::ip_address::v4(192, 0, 2, 7), 777};
  const auto success = encode_success(id, mapped, key);
  const auto s = stun::message_view::parse(success);
  REQUIRE(s);
  CHECK(judge_response(*s, key).what == stun::reaction::accept);
  CHECK(judge_response(*s, stun::short_term_key("x")).what == stun::reaction::ignore);
  CHECK(read_answer(*s)->mapped == mapped);
  for (const int code : {400, 401, 420, 487}) {
    const auto wire = encode_error(m, code, key);
    const auto e = stun::message_view::parse(wire);
    REQUIRE(e);
    CHECK(e->transaction_id() == id);
    CHECK(stun::check_fingerprint(*e) == stun::fingerprint_check::valid);
    CHECK(e->integrity_offset().has_value() == (code == 420 || code == 487));
    CHECK(judge_response(*e, key).what == stun::reaction::accept);
    CHECK(read_answer(*e)->error == code);
  }
}

TEST_CASE("an unsigned success, role conflict or revocation is not believed") {
  base::bytes success;
  stun::message_writer(success, {stun::message_class::success, stun::method::binding}, id)
      .add(stun::xor_mapped_address{{base::ip_address::v4(1, 2, 3, 4), 5}});
  CHECK(judge_response(*stun::message_view::parse(success), key).what == stun::reaction::ignore);
  for (const int code : {403, 487}) {
    base::bytes wire;
    stun::message_writer(wire, {stun::message_class::error, stun::method::binding}, id).add(stun::error_code{code, "no"});
    CHECK(judge_response(*stun::message_view::parse(wire), key).what == stun::reaction::ignore);
  }
}

TEST_CASE("an error is at most 1.6 times as long as a request that proves nothing") {
  for (const bool marked : {false, true}) {
    base::bytes wire;
    stun::message_writer w(wire, {stun::message_class::request, stun::method::binding}, id);
    if (marked) w.fingerprint();
    const auto m = *stun::message_view::parse(wire);
    for (const int code : {400, 401}) {
      const auto answer = encode_error(m, code, key);
      CHECK(answer.size() * 10 <= wire.size() * 16);
      CHECK(stun::message_view::parse(answer)->get<stun::error_code>()->code == code);
      // RFC 8489 §7: given to those who use it
      CHECK((stun::check_fingerprint(*stun::message_view::parse(answer)) == stun::fingerprint_check::valid) == marked);
    }
  }
}
