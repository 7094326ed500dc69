#include "trace/pcapng.hpp"

#include <doctest/doctest.h>

#include "trace/timeline.hpp"

using namespace strata;
using namespace strata::trace;

namespace {

base::bytes file_of(const std::vector<base::bytes>& blocks) {
  auto all = pcapng::section_header("test");
  base::append(all, pcapng::interface_descriptions());
  for (const auto& b : blocks) base::append(all, b);
  return all;
}

packet some_packet(const char* local, const char* remote, base::byte_view data) {
  return {direction::sent, *base::endpoint::parse(local), *base::endpoint::parse(remote), data};
}

}  // namespace

TEST_CASE("packets, comments and keys come back as they were written") {
  const auto data = base::to_bytes("hello");
  const auto file =
      file_of({pcapng::decryption_secrets({}),
               pcapng::enhanced_packet(5, some_packet("192.0.2.1:1000", "192.0.2.2:2000", data), {"one", "three"}),
               pcapng::enhanced_packet(6, some_packet("[2001:db8::1]:1", "[2001:db8::2]:2", data), {})});
  const auto back = pcapng::read(file);
  REQUIRE(back);
  CHECK(back->secrets == 1);
  REQUIRE(back->packets.size() == 2);
  CHECK(back->packets[0].at == 5);
  CHECK(back->packets[0].from.to_string() == "192.0.2.1:1000");
  CHECK(back->packets[0].comments == std::vector<std::string>{"one", "three"});
  CHECK(back->packets[1].to.to_string() == "[2001:db8::2]:2");
  CHECK(back->packets[1].payload == data);
}

TEST_CASE("packets inside the encryption stand beside the datagrams") {
  const auto data = base::to_bytes("sctp");
  const auto file = file_of({pcapng::enhanced_packet(5, inner_packet{direction::received, data}, {"one"})});
  const auto back = pcapng::read(file);
  REQUIRE(back);
  REQUIRE(back->packets.size() == 1);
  CHECK(back->packets[0].inside);
  CHECK(back->packets[0].payload == data);
  CHECK(back->packets[0].comments == std::vector<std::string>{"one"});
}

TEST_CASE("a file cut at any byte is an error, never a crash") {
  const auto data = base::to_bytes("hello");
  const auto file = file_of({pcapng::enhanced_packet(5, some_packet("192.0.2.1:1000", "192.0.2.2:2000", data), {"one"})});
  std::size_t whole = 0;
  for (std::size_t n = 0; n < file.size(); ++n) whole += pcapng::read(base::byte_view(file).first(n)).has_value() ? 1 : 0;
  CHECK(whole == 3);  // after the section header and after each interface description
  for (std::size_t at = 0; at < file.size(); ++at) {
    auto broken = file;
    broken[at] ^= 0xff;
    (void)pcapng::read(broken);
  }
}

TEST_CASE("the timeline shows how long each phase took") {
  const std::vector<std::string> begin = {"+10.000 bob | ice phase checks begins"};
  const std::vector<std::string> end = {"+12.500 bob | ice phase checks ends"};
  const base::bytes stun = {0, 1, 0, 0};
  const auto file = file_of({pcapng::enhanced_packet(1, some_packet("192.0.2.1:1", "192.0.2.2:2", stun), begin),
                             pcapng::enhanced_packet(2, some_packet("192.0.2.1:1", "192.0.2.2:2", stun), end)});
  const auto text = timeline(*pcapng::read(file));
  CHECK(text.find("checks ends  [2.500 ms]") != std::string::npos);
  CHECK(text.find("1 x STUN (4 bytes)") != std::string::npos);
}
