// The messages of PCP and NAT-PMP, octet by octet, and what is no such message.
#include <doctest/doctest.h>

#include "base/hex.hpp"
#include "portmap/epoch.hpp"
#include "portmap/mapping.hpp"
#include "portmap/nat_pmp.hpp"
#include "portmap/pcp.hpp"
#include "portmap/schedule.hpp"

using namespace strata;
using namespace strata::portmap;
using namespace std::chrono_literals;

namespace {

base::bytes hex(std::string_view text) {
  std::string digits;
  for (const char c : text)
    if (c != ' ') digits += c;
  return *base::from_hex(digits);
}

base::endpoint at(std::string_view text) { return *base::endpoint::parse(text); }

constexpr std::string_view nonce_text = "010203040506070809 0a0b0c";
constexpr pcp::mapping_nonce nonce{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};

base::bytes pcp_answer(std::string_view head = "02 81 00 00 00001c20 00000064 000000000000000000000000",
                       std::string_view rest = "11 000000 0fa0 1388 00000000000000000000ffff cb007109") {
  return hex(std::string(head) + std::string(nonce_text) + std::string(rest));
}

}  // namespace

TEST_CASE("NAT-PMP requests are what RFC 6886 draws") {
  CHECK(nat_pmp::address_request() == hex("0000"));
  CHECK(nat_pmp::map_request(4000, 5000, 7200) == hex("00 01 0000 0fa0 1388 00001c20"));
  CHECK(nat_pmp::map_request(4000, 0, 0) == hex("00 01 0000 0fa0 0000 00000000"));
}

TEST_CASE("NAT-PMP answers are read, longer ones as well") {
  const auto address = nat_pmp::read_address_answer(hex("00 80 0000 00000064 cb007109"));
  REQUIRE(address);
  CHECK(address->outside.to_string() == "203.0.113.9");
  CHECK(address->epoch == 100);
  const auto given = nat_pmp::read_map_answer(hex("00 81 0000 00000064 0fa0 1388 00001c20 ffff"));
  REQUIRE(given);
  CHECK(*given == nat_pmp::map_answer{100, 4000, 5000, 7200});
}

TEST_CASE("NAT-PMP result codes say why not") {
  for (const auto& [code, why] : {std::pair{1, errc::unsupported_version},
                                  {2, errc::not_authorized},
                                  {3, errc::network_failure},
                                  {4, errc::no_resources},
                                  {5, errc::unsupported},
                                  {6, errc::refused},
                                  {255, errc::refused}}) {
    auto answer = hex("00 81 0000 00000064 0fa0 1388 00001c20");
    answer[3] = static_cast<std::uint8_t>(code);
    CHECK(nat_pmp::read_map_answer(answer).error() == why);
    answer[1] = 0x80;
    CHECK(nat_pmp::read_address_answer(answer).error() == why);
  }
  CHECK(nat_pmp::read_map_answer(hex("02 81 0000 00000064 0fa0 1388 00001c20")).error() == errc::unsupported_version);
}

TEST_CASE("whatever is cut short or is of another kind is malformed") {
  const auto whole = hex("00 81 0000 00000064 0fa0 1388 00001c20");
  for (std::size_t n = 0; n < whole.size(); ++n)
    CHECK(nat_pmp::read_map_answer(base::byte_view(whole).first(n)).error() == errc::malformed);
  CHECK(nat_pmp::read_map_answer(hex("00 80 0000 00000064 cb007109")).error() == errc::malformed);
  CHECK(nat_pmp::read_map_answer(hex("00 01 0000 0fa0 1388 00001c20")).error() == errc::malformed);
  const auto pcp_whole = pcp_answer();
  for (std::size_t n = 0; n < pcp_whole.size(); ++n)
    CHECK(pcp::read_map_answer(base::byte_view(pcp_whole).first(n)).error() == errc::malformed);
  auto odd = pcp_whole;
  odd.push_back(0);
  CHECK(pcp::read_map_answer(odd).error() == errc::malformed);
  CHECK(pcp::read_map_answer(base::bytes(1104, 2)).error() == errc::malformed);
  auto request = pcp_whole;
  request[1] = 1;
  CHECK(pcp::read_map_answer(request).error() == errc::malformed);
  CHECK_FALSE(pcp::answers(pcp_whole, request));
}

TEST_CASE("a NAT-PMP answer belongs to the request with its opcode") {
  const auto ask = nat_pmp::address_request(), map = nat_pmp::map_request(1, 2, 3);
  CHECK(nat_pmp::answers(ask, hex("00 80 0000")));
  CHECK_FALSE(nat_pmp::answers(map, hex("00 80 0000")));
  CHECK(nat_pmp::answers(map, hex("00 81 0000")));
  CHECK_FALSE(nat_pmp::answers(map, hex("00 01 0000")));
  CHECK_FALSE(nat_pmp::answers(map, hex("00 81 00")));
  CHECK(nat_pmp::answers(map, hex("02 81 0001")));
}

TEST_CASE("a PCP request is what RFC 6887 draws") {
  const auto four = pcp::encode({at("192.168.1.7:4000"), nonce, 7200, at("0.0.0.0:4000")});
  CHECK(four == hex("02 01 0000 00001c20 00000000000000000000ffff c0a80107" + std::string(nonce_text) +
                    "11 000000 0fa0 0fa0 00000000000000000000ffff 00000000"));
  const auto again = pcp::encode({at("192.168.1.7:4000"), nonce, 0, at("203.0.113.9:5000")});
  CHECK(base::byte_view(again).subspan(42, 2)[1] == 0x88);
  CHECK(again.size() == 60);
  const auto six = pcp::encode({at("[2001:db8::7]:4000"), nonce, 7200, at("0.0.0.0:4000")});
  CHECK(six == hex("02 01 0000 00001c20 20010db8000000000000000000000007" + std::string(nonce_text) +
                   "11 000000 0fa0 0fa0 00000000000000000000000000000000"));
}

TEST_CASE("a PCP answer is read, options behind it are passed over") {
  auto bytes = pcp_answer();
  const auto a = pcp::read_map_answer(bytes);
  REQUIRE(a);
  CHECK(*a == pcp::map_answer{7200, 100, nonce, 17, 4000, at("203.0.113.9:5000")});
  base::append(bytes, hex("83000000"));
  CHECK(pcp::read_map_answer(bytes));
}

TEST_CASE("PCP result codes say why not, from an answer of any length") {
  for (const auto& [code, why] : {std::pair{1, errc::unsupported_version},
                                  {2, errc::not_authorized},
                                  {3, errc::refused},
                                  {4, errc::unsupported},
                                  {5, errc::unsupported},
                                  {7, errc::network_failure},
                                  {8, errc::no_resources},
                                  {9, errc::unsupported},
                                  {10, errc::no_resources},
                                  {11, errc::conflict},
                                  {12, errc::address_mismatch},
                                  {13, errc::refused},
                                  {200, errc::refused}}) {
    auto answer = pcp_answer();
    answer[3] = static_cast<std::uint8_t>(code);
    CHECK(pcp::read_map_answer(answer).error() == why);
    CHECK(pcp::read_map_answer(base::byte_view(answer).first(24)).error() == why);
  }
  // A gateway of NAT-PMP alone (RFC 6887 §9).
  CHECK(pcp::read_map_answer(hex("00 81 0001 00000064")).error() == errc::unsupported_version);
}

TEST_CASE("a PCP answer belongs to the request with its nonce, protocol and inside port") {
  const auto request = pcp::encode({at("192.168.1.7:4000"), nonce, 7200, at("0.0.0.0:4000")});
  const auto answer = pcp_answer();
  CHECK(pcp::answers(request, answer));
  for (const std::size_t wrong : {24u, 35u, 36u, 40u, 41u}) {
    auto other = answer;
    other[wrong] ^= 1;
    CAPTURE(wrong);
    CHECK_FALSE(pcp::answers(request, other));
  }
  for (const std::size_t free : {39u, 42u, 43u, 44u, 59u}) {
    auto other = answer;
    other[free] ^= 1;
    CHECK(pcp::answers(request, other));
  }
  CHECK(pcp::answers(request, hex("00 81 0001 00000064")));
  CHECK_FALSE(pcp::answers(request, base::byte_view(answer).first(24)));
}

TEST_CASE("the epoch tells a gateway that has restarted from one whose clock is a little off") {
  struct row {
    std::uint32_t first, second;
    base::duration between;
    bool same;
  };
  const row rows[]{
      {1000, 1000, 0s, true},      {1000, 999, 0s, true},       {1000, 998, 0s, false},    {1000, 4600, 3600s, true},
      {1000, 4400, 3600s, true},   {1000, 4370, 3600s, false},  {1000, 4820, 3600s, true}, {1000, 4850, 3600s, false},
      {1000, 0, 10s, false},       {1000, 10, 3600s, false},    {0, 2, 0s, true},          {0, 3, 0s, false},
      {100000, 5, 100000s, false}, {5, 4294967295u, 1s, false},
  };
  for (const auto& r : rows) {
    epoch e;
    const base::instant now(1h);
    CHECK(e.learn(r.first, now));
    CAPTURE(r.first);
    CAPTURE(r.second);
    CHECK(e.learn(r.second, now + r.between) == r.same);
    CHECK(e.learn(r.second, now + r.between));  // the new life is the measure from then on
  }
}

TEST_CASE("requests are sent again as their RFCs say") {
  base::duration total{};
  unsigned n = 0;
  for (; nat_pmp_wait(n); ++n) total += *nat_pmp_wait(n);
  CHECK(n == 9);
  CHECK(*nat_pmp_wait(0) == 250ms);
  CHECK(*nat_pmp_wait(8) == 64s);
  CHECK(total == 127750ms);
  for (const std::uint64_t chance : {std::uint64_t{0}, std::uint64_t{12345678901234567u}, ~std::uint64_t{0}}) {
    CHECK(pcp_wait(0, chance) >= 2700ms);
    CHECK(pcp_wait(0, chance) <= 3300ms);
    CHECK(pcp_wait(3, chance) >= 21600ms);
    CHECK(pcp_wait(3, chance) <= 26400ms);
    CHECK(pcp_wait(60, chance) <= 1126500ms);
  }
}

TEST_CASE("a mapping is renewed at half of its life, then at half of what is left, and not in the last seconds") {
  CHECK(renewal_wait(2h, 0s) == 1h);
  CHECK(renewal_wait(2h, 1h) == 30min);
  CHECK(renewal_wait(2h, 2h - 6s) == 4s);
  CHECK_FALSE(renewal_wait(2h, 2h - 4s));
  CHECK_FALSE(renewal_wait(2h, 3h));
  CHECK(renewal_wait(0s, 5h) == 20min);
}

TEST_CASE("a mapping to an inside address leads half the way") {
  for (const auto& [text, half] : {std::pair{"203.0.113.9:1", false},
                                   {"100.64.0.1:1", true},
                                   {"10.0.0.1:1", true},
                                   {"192.168.0.1:1", true},
                                   {"169.254.1.1:1", true}})
    CHECK(mapping{.inside = {}, .outside = at(text), .gateway = {}}.behind_another_nat() == half);
}
