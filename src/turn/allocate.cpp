// Getting an allocation (RFC 8656 §7.1, §7.3, §7.4).
#include <algorithm>

#include "stun/attributes.hpp"
#include "stun/long_term.hpp"
#include "stun/message_writer.hpp"
#include "stun/opaque_string.hpp"
#include "turn/allocation_state.hpp"

namespace strata::turn {
namespace {

constexpr unsigned most_redirections = 3;  // RFC 8489 §10 bounds loops only
constexpr unsigned most_sockets = 3;       // §7.4: tried one after the other when the server remembers something older (437)

stun::client_config client_settings(const allocation_config& c, bool reliable) {
  stun::client_config s;
  s.reliable = reliable;
  s.rto = c.rto;
  s.rc = 6;  // 20 s for a silent server: its name may have other addresses
  s.rm = 8;
  s.software.clear();
  s.server_error_retries = 0;  // §7.4: a relay that is full (508) stays so for a while; there may be others
  return s;
}

// RFC 8489 §9.2.2: what cannot be prepared is sent as it is, and refused by whoever knows it otherwise.
std::unique_ptr<stun::session> credentials(const server_info& s) {
  return std::make_unique<stun::long_term_session>(stun::opaque_string(s.username).value_or(s.username),
                                                   stun::opaque_string(s.password).value_or(s.password));
}

// Field experience: coturn (4.6) knows both attributes of a dual allocation by the numbers of a draft only. They are optional
// to understand, so nobody else minds.
constexpr stun::attribute_type coturn_additional_address_family{0x8032}, coturn_address_error_code{0x8033};

std::optional<int> refusal_of_one_family(const stun::message_view& m) {
  if (const auto refused = m.get<stun::address_error_code>()) return refused->code;
  for (auto a : m)
    if (a.type == coturn_address_error_code)
      if (const auto refused = stun::address_error_code::decode(a, m.transaction_id())) return refused->code;
  return std::nullopt;
}

base::result<void> read_success(allocation::state& s, const stun::message_view& m) {
  for (const auto wanted : s.config.families)
    for (const auto& a : m) {
      if (a.type != stun::attribute_type::xor_relayed_address || a.ignored) continue;  // two of them in a dual allocation
      const auto relayed = stun::xor_relayed_address::decode(a, m.transaction_id());
      if (relayed && relayed->endpoint.address.family() == wanted && relayed->endpoint.port != 0)
        s.relayed.push_back(relayed->endpoint);
    }
  const auto lifetime = m.get<stun::lifetime>();
  // §7.3: an answer of another family than what was asked for is as good as none.
  if (s.relayed.empty() || !lifetime || lifetime->value == 0) return base::fail(errc::unusable_answer);
  if (const auto mapped = m.get<stun::xor_mapped_address>()) s.mapped = mapped->endpoint;
  s.partial_refusal = refusal_of_one_family(m);
  s.lifetime = std::chrono::seconds(lifetime->value);
  s.expires = s.now() + s.lifetime;
  return {};
}

// The network is read for as long as the request is under way.
async::task<base::result<void>> ask(allocation::state& s) {
  auto [lost, answered] = co_await async::first_of(listen(s), request_allocation(s));
  if (answered) co_return std::move(*answered);
  co_return base::fail(*lost);
}

}  // namespace

allocation::state::state(net::host& h, allocation_config c, std::unique_ptr<transport> w, trace::tracer t)
    : host(h),
      config(std::move(c)),
      tracer(std::move(t)),
      way(std::move(w)),
      client(
          h,
          // RFC 8489 §10: over UDP a redirected request goes elsewhere, and so does all that follows it.
          [this](const base::endpoint& to, base::byte_view m) {
            way->redirect(to);
            return send(m, false);
          },
          client_settings(config, way->reliable()), credentials(config.server), tracer) {
  // While nothing is agreed it is a reason to ask elsewhere; later the network may come back before the allocation ends.
  way->on_unreachable = [this](base::errc why) {
    if (relayed.empty()) client.on_unreachable(way->server(), why);
  };
}

bool allocation::state::send(base::byte_view frame, bool is_channel_data) {
  last_sent = now();
  return way->send(frame, is_channel_data);
}

bool allocation::state::has_family(base::ip_family f) const noexcept {
  return std::ranges::any_of(relayed, [&](const base::endpoint& e) { return e.address.family() == f; });
}

async::task<base::result<void>> request_allocation(allocation::state& s) {
  const auto& families = s.config.families;
  auto answer = co_await s.client.request(
      s.way->server(), stun::method::allocate,
      [&s, &families](stun::message_writer& w) {
        w.add(stun::requested_transport{stun::requested_transport::udp});
        w.add(stun::lifetime{
            static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::seconds>(s.config.lifetime).count())});
        // §7.1: both families: ADDITIONAL-ADDRESS-FAMILY, which is for IPv6 beside IPv4; one: REQUESTED, absent for IPv4.
        if (families.size() > 1) {
          w.add(stun::additional_address_family{base::ip_family::v6});
          constexpr std::uint8_t v6[] = {2, 0, 0, 0};
          w.add(coturn_additional_address_family, v6);
        } else if (families.front() == base::ip_family::v6) w.add(stun::requested_address_family{base::ip_family::v6});
        if (s.config.dont_fragment) w.add(stun::dont_fragment{});
      },
      {stun::attribute_type::xor_relayed_address, stun::attribute_type::lifetime, stun::attribute_type::xor_mapped_address,
       stun::attribute_type::reservation_token, stun::attribute_type::address_error_code});
  if (!answer) co_return base::fail(answer.error());
  co_return read_success(s, answer->message());
}

async::task<base::result<std::unique_ptr<allocation>>> allocation::allocate(net::host& h, allocation_config c,
                                                                            trace::tracer t) {
  const auto addresses = co_await h.resolve(c.server.host);
  if (!addresses) co_return base::fail(addresses.error());
  std::deque<base::endpoint> targets;
  const auto interfaces = h.interfaces();
  for (const auto& a : *addresses) {
    // A family that this machine does not have would only cost time.
    const auto leads_there = [&](const net::interface_address& i) {
      return i.up && i.address.family() == a.family() && i.loopback == a.is_loopback();
    };
    if (std::ranges::any_of(interfaces, leads_there)) targets.push_back({a, c.server.port});
  }
  base::error last(errc::no_server_address);
  unsigned redirections = 0;
  unsigned sockets = 1;
  while (!targets.empty()) {
    const auto target = targets.front();
    auto way = co_await open_transport(h, c.server, target, {.dont_fragment = c.dont_fragment});
    if (!way) {
      targets.pop_front();
      last = way.error();
      continue;
    }
    auto s = std::make_unique<state>(h, c, std::move(*way), t);
    const auto made = co_await ask(*s);
    if (made) co_return std::unique_ptr<allocation>(new allocation(std::move(s)));
    last = made.error();
    t(h.now(), trace::note{trace::layer::turn, c.server.name(), explain(last)});
    // exception: 8656-7.4-j 8656-7.3-c 8656-7.3-e nothing is remembered from one allocate() to the next: asking again, and
    // when, is the decision of whoever calls it
    if (last == stun::response_error(437) && sockets++ < most_sockets) continue;
    // §7.4: fragments are better than no relay at all.
    if (last == stun::response_error(420) && std::exchange(c.dont_fragment, false)) continue;
    if (last == make_error_code(errc::unusable_answer)) {  // §7.3: the server has an allocation that is none to us
      co_await give_back(*s);
      break;
    }
    targets.pop_front();
    if (last == stun::make_error_code(stun::errc::redirected) && s->client.alternate() && redirections++ < most_redirections)
      targets.push_front(*s->client.alternate());
    // What the server decided about us is the same at its other addresses.
    else if (&last.code.category() == &stun::response_category() || last == stun::make_error_code(stun::errc::bad_credentials))
      break;
  }
  co_return base::fail(last);
}

allocation::allocation(std::unique_ptr<state> s) : state_(std::move(s)) {
  state_->report_peer = [this](const base::endpoint& peer, base::errc why) {
    report_unreachable(state_->socket_counts, peer, why);
  };
}
allocation::~allocation() = default;

}  // namespace strata::turn
