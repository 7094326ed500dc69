// Allocate: what is given, and the refusal for everything that is not (RFC 8656 §7.2).
#include "lab.hpp"

using namespace strata;
using namespace strata::test;

namespace {

using stun::attribute_type;
using stun::message_writer;
using stun::method;

filler also(const filler& more) {
  return [more](message_writer& w) {
    udp(w);
    more(w);
  };
}

filler family(base::ip_family f) {
  return also([f](message_writer& w) { w.add(stun::requested_address_family{f}); });
}
const filler both = also([](message_writer& w) { w.add(stun::additional_address_family{base::ip_family::v6}); });

server::rules_config only(base::ip_family f) {
  auto c = open_rules();
  std::erase_if(c.relay, [f](const auto& r) { return r.bind.family() != f; });
  return c;
}

}  // namespace

// req: 8656-5-h 8656-5-n 8656-7.2-a 8656-7.2-x 8656-7.2-j 8656-5-m
TEST_CASE("whoever proves who he is gets an address, its lifetime and his own address, signed") {
  lab l;
  const auto who = l.log_in();
  CHECK(l.e.allocations() == 0);
  const auto relayed = l.allocate(who);
  CHECK(relayed == l.ports.begin()->second);
  CHECK(relayed.address.is_v4());
  const auto m = l.answer();
  CHECK(m.get<stun::xor_mapped_address>()->endpoint == l.tuple.client);
  CHECK(m.get<stun::lifetime>()->value == 600);
  CHECK(m.get<stun::software>()->text == "strata");
  CHECK(stun::check_integrity(m, stun::long_term_key("alice", "strata", "secret")));
  CHECK_FALSE(m.has(attribute_type::reservation_token));
  CHECK(l.ask(request(method::refresh, {}, who)) == 0);
  CHECK(l.answer().get<stun::software>()->text == "strata");
}

// req: 8656-5-p 8656-7.2-b
TEST_CASE("the same request again is the same allocation; another one on the 5-tuple is a mismatch") {
  lab l;
  const auto who = l.log_in();
  const auto first = request(method::allocate, both, who);
  REQUIRE(l.ask(first) == 0);
  const auto answer = l.out;
  CHECK(l.ask(first) == 0);
  CHECK(l.out == answer);
  l.t.now += 100s;
  CHECK(l.ask(first) == 0);
  CHECK(l.answer().get<stun::lifetime>()->value == 500);
  CHECK(l.ports.size() == 2);
  CHECK(l.ask(request(method::allocate, both, who)) == 437);
  CHECK(l.e.allocations() == 1);
}

// req: 8656-7.2-c 8656-7.2-d 8656-7.2-e 8656-7.2-f 8656-7.2-g 8656-7.2-h 8656-7.2-k 8656-7.2-l 8656-7.2-m
TEST_CASE("every wish that cannot be granted has its code") {
  const auto raw = [](attribute_type t, base::bytes value) { return [t, value](message_writer& w) { w.add(t, value); }; };
  const filler token = [](message_writer& w) { w.add(stun::reservation_token{}); };
  const filler even = [](message_writer& w) { w.add(stun::even_port{}); };
  const filler pair = [](message_writer& w) { w.add(stun::even_port{true}); };
  const filler v6 = [](message_writer& w) { w.add(stun::requested_address_family{base::ip_family::v6}); };
  const filler more = [](message_writer& w) { w.add(stun::additional_address_family{base::ip_family::v6}); };
  const auto with = [](std::initializer_list<filler> all) {
    return also([list = std::vector(all)](message_writer& w) {
      for (const auto& f : list) f(w);
    });
  };
  const struct {
    const char* what;
    filler fill;
    int code;
  } table[] = {
      {"no transport", {}, 400},
      {"transport of two bytes", raw(attribute_type::requested_transport, {17, 0}), 400},
      {"TCP", raw(attribute_type::requested_transport, {6, 0, 0, 0}), 442},
      {"protocol 0", raw(attribute_type::requested_transport, {0, 0, 0, 0}), 442},
      {"DONT-FRAGMENT", with({[](message_writer& w) { w.add(stun::dont_fragment{}); }}), 420},
      {"an attribute of the future", with({raw(attribute_type{0x7ffe}, {})}), 420},
      {"a peer in an Allocate", with({towards({at("8.8.8.8:1")})}), 420},
      {"token", with({token}), 508},
      {"token of four bytes", with({raw(attribute_type::reservation_token, {1, 2, 3, 4})}), 400},
      {"token and EVEN-PORT", with({token, even}), 400},
      {"token and family", with({token, v6}), 400},
      {"token and another family", with({token, more}), 400},
      {"family and another", with({v6, more}), 400},
      {"another family that is IPv4", with({raw(attribute_type::additional_address_family, {1, 0, 0, 0})}), 400},
      {"another family that is none", with({raw(attribute_type::additional_address_family, {9, 0, 0, 0})}), 400},
      {"a pair of ports in both families", with({pair, more}), 400},
      {"a pair of ports", with({pair}), 508},
      {"EVEN-PORT of two bytes", with({raw(attribute_type::even_port, {0, 0})}), 400},
      {"a family that does not exist", with({raw(attribute_type::requested_address_family, {3, 0, 0, 0})}), 440},
      {"a family of two bytes", with({raw(attribute_type::requested_address_family, {1, 0})}), 400},
      {"a lifetime of two bytes", with({raw(attribute_type::lifetime, {1, 0})}), 400},
  };
  for (const auto& row : table) {
    lab l;
    const auto who = l.log_in();
    CHECK_MESSAGE(l.ask(request(method::allocate, row.fill, who)) == row.code, row.what);
    CHECK(stun::check_integrity(l.answer(), stun::long_term_key("alice", "strata", "secret")));
    CHECK(l.e.allocations() == 0);
    CHECK(l.ports.empty());
    CHECK(l.e.counted().refused.at(row.code) == 1);
  }
}

TEST_CASE("420 lists what was not understood") {
  lab l;
  const auto who = l.log_in();
  CHECK(l.ask(request(method::allocate, also([](message_writer& w) { w.add(stun::dont_fragment{}); }), who)) == 420);
  const auto list = *l.answer().get<stun::unknown_attributes>();
  REQUIRE(list.size() == 1);
  CHECK(list.at(0) == attribute_type::dont_fragment);
}

// req: 8656-7.2-i 8656-7.2-j
TEST_CASE("a server without a family says so") {
  lab four(only(base::ip_family::v4));
  CHECK(four.ask(request(method::allocate, family(base::ip_family::v6), four.log_in())) == 440);
  lab six(only(base::ip_family::v6));
  const auto who = six.log_in();
  CHECK(six.ask(request(method::allocate, udp, who)) == 440);
  CHECK(six.allocate(who, family(base::ip_family::v6)).address.is_v6());
}

// req: 8656-18.6-b 8656-18.8-b
TEST_CASE("reserved bits are ignored") {
  lab l;
  const auto noisy = [](message_writer& w) {
    w.add(attribute_type::requested_transport, base::bytes{17, 0xff, 0xff, 0xff});
    w.add(attribute_type::requested_address_family, base::bytes{2, 0xff, 0xff, 0xff});
    w.add(attribute_type::even_port, base::bytes{0x7f});
  };
  CHECK(l.allocate(l.log_in(), noisy).address.is_v6());
}

// req: 8656-7.2-n 8656-7.2-o 8656-18.12-b
TEST_CASE("both families are given in one allocation, or one of them with a word about the other") {
  const auto relayed_in = [](const stun::message_view& m) {
    std::vector<base::endpoint> list;
    for (const auto& a : m)
      if (a.type == attribute_type::xor_relayed_address)
        list.push_back(stun::xor_relayed_address::decode(a, m.transaction_id())->endpoint);
    return list;
  };
  lab l;
  l.allocate(l.log_in(), both);
  const auto two = relayed_in(l.answer());
  REQUIRE(two.size() == 2);
  CHECK(two[0].address.is_v4());
  CHECK(two[1].address.is_v6());
  CHECK_FALSE(l.answer().has(attribute_type::address_error_code));

  lab four(only(base::ip_family::v4));
  four.allocate(four.log_in(), both);
  CHECK(relayed_in(four.answer()).size() == 1);
  CHECK(four.answer().get<stun::address_error_code>()->code == 440);
  CHECK(four.answer().get<stun::address_error_code>()->family == base::ip_family::v6);
  const auto value = four.answer().find(attribute_type::address_error_code)->value;
  CHECK(value[1] == 0);
  CHECK((value[2] & 0xf8) == 0);

  lab full;
  full.refuse = {base::ip_family::v4};
  CHECK(full.allocate(full.log_in(), both).address.is_v6());
  CHECK(full.answer().get<stun::address_error_code>()->code == 508);
  CHECK(full.answer().get<stun::address_error_code>()->family == base::ip_family::v4);

  lab none;
  none.refuse = {base::ip_family::v4, base::ip_family::v6};
  const auto who = none.log_in();
  CHECK(none.ask(request(method::allocate, both, who)) == 508);
  CHECK(none.ask(request(method::allocate, udp, who)) == 508);
  CHECK(none.e.allocations() == 0);
}

// req: 8656-7.2-v 8656-7.2-w
TEST_CASE("the lifetime is what was asked for, between the default and an hour") {
  for (const auto& [wish, granted] :
       {std::pair{0u, 600u}, {1u, 600u}, {600u, 600u}, {601u, 601u}, {3600u, 3600u}, {3601u, 3600u}, {0xffffffffu, 3600u}}) {
    lab l;
    l.allocate(l.log_in(), also(asks(wish)));
    CHECK(l.answer().get<stun::lifetime>()->value == granted);
  }
}

// req: 8656-7.2-p 8656-5-q
TEST_CASE("one user has so many allocations, from wherever he comes, and all together so many") {
  auto c = open_rules();
  c.limits.allocations_of_one_user = 3;
  c.limits.allocations = 5;
  lab l(c);
  const auto from = [&](int n) {
    auto tuple = l.tuple;
    tuple.client = {base::ip_address::v4(203, 0, 113, static_cast<std::uint8_t>(n)), 4000};
    return tuple;
  };
  const auto attempt = [&](const std::string& user, int n) {
    const auto tuple = from(n);
    return l.ask(request(method::allocate, udp, l.log_in(user, tuple)), tuple);
  };
  for (int i = 0; i < 3; ++i) CHECK(attempt("alice", i) == 0);
  CHECK(attempt("alice", 3) == 486);
  CHECK(attempt("bob", 4) == 0);
  CHECK(attempt("bob", 5) == 0);
  CHECK(attempt("bob", 6) == 508);
  l.e.client_gone(from(0));
  CHECK(attempt("alice", 7) == 0);
  CHECK(l.e.allocations() == 5);
}
