// The TURN server's rules: whatever a client says, signed by a known user or not. Input: pieces of one kind byte, one length
// byte and as many bytes. Answers are STUN, silence is silent, and every port that was opened is held by an allocation.
#include "turn/server/engine.hpp"

#include <set>

#include "check.hpp"
#include "stun/attributes.hpp"
#include "stun/credentials.hpp"
#include "stun/message_writer.hpp"

using namespace strata;
using namespace strata::turn::server;

namespace {

struct ports final : port_source {
  std::optional<base::endpoint> open(allocation_id id, base::ip_family f, bool) override {
    STRATA_FUZZ_CHECK(held.emplace(id, f).second);
    return base::endpoint{base::ip_address::loopback(f), 50'000};
  }
  void close(allocation_id id, base::ip_family f) override { STRATA_FUZZ_CHECK(held.erase({id, f}) == 1); }
  std::set<std::pair<allocation_id, base::ip_family>> held;
};

rules_config rules() {
  rules_config c;
  c.users["a"] = "p";
  c.relay = {{base::ip_address::v4(127, 0, 0, 1)}, {base::ip_address::loopback(base::ip_family::v6)}};
  c.limits.permissions = c.limits.channels = 4;
  return c;
}

// Attributes of the input in a request that the user has signed.
base::bytes sign(stun::method m, base::byte_view attributes, std::string_view nonce) {
  static const auto key = stun::long_term_key("a", "strata", "p");
  base::bytes out;
  stun::message_writer w(out, {stun::message_class::request, m}, {});
  for (std::size_t at = 0; at + 3 <= attributes.size();) {
    const auto size = std::min<std::size_t>(attributes[at + 2], attributes.size() - at - 3);
    w.add(stun::attribute_type{static_cast<std::uint16_t>(attributes[at] << 8 | attributes[at + 1])},
          attributes.subspan(at + 3, size));
    at += 3 + size;
  }
  w.add(stun::username{"a"}).add(stun::realm{"strata"}).add(stun::nonce{nonce}).integrity(key);
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr stun::method methods[] = {stun::method::allocate, stun::method::refresh, stun::method::create_permission,
                                      stun::method::channel_bind};
  ports p;
  engine e(rules(), {.relay = {base::ip_address::v4(127, 0, 0, 1)}, .machine = {}}, base::to_bytes("secret"), 1, p);
  moment t{base::instant(std::chrono::hours(1)), 0};
  const five_tuple tuple{{base::ip_address::v4(8, 8, 8, 8), 5}, {base::ip_address::v4(127, 0, 0, 1), 3478}};
  std::string nonce = "none";
  base::bytes out;
  for (base::byte_view rest(data, size); rest.size() >= 2;) {
    const auto kind = rest[0];
    const auto piece = rest.subspan(2, std::min<std::size_t>(rest[1], rest.size() - 2));
    rest = rest.subspan(2 + piece.size());
    out.clear();
    const auto message = kind % 8 < 4 ? sign(methods[kind % 8], piece, nonce) : base::to_bytes(piece);
    if (kind % 8 == 7) {
      t.now += std::chrono::seconds(100);
      e.expire(t.now);
    }
    const auto o = e.from_client(message, tuple, t, out);
    STRATA_FUZZ_CHECK(out.empty() == (o.what != outcome::kind::answered));
    if (o.what == outcome::kind::to_peer) {
      STRATA_FUZZ_CHECK(p.held.contains({o.from, o.peer.address.family()}));
      STRATA_FUZZ_CHECK(e.from_peer(o.from, o.peer, o.payload, t.now, out) != nullptr);
    } else if (o.what == outcome::kind::answered) {
      auto m = stun::message_view::parse(out);
      if (!m) m = stun::message_view::parse_without_cookie(out);  // Binding of RFC 3489 has 128 bits of id
      STRATA_FUZZ_CHECK(m && m->is_response());
      if (const auto n = m->get<stun::nonce>()) nonce = n->text;
    }
    STRATA_FUZZ_CHECK(p.held.empty() == (e.allocations() == 0));
  }
  return 0;
}
