#include "mesh/ice_servers.hpp"

#include <algorithm>
#include <charconv>
#include <functional>

namespace strata::mesh {
namespace {

constexpr std::size_t most_servers = 16;

int slowness(const turn_entry& e) {
  if (e.uri.secure) return 2;
  return e.uri.transport == stun::server_uri::transport_kind::tcp ? 1 : 0;
}

void insert(ice_servers& out, turn_entry e) {
  if (out.turn.size() < most_servers)
    out.turn.insert(std::ranges::upper_bound(out.turn, slowness(e), std::less(), slowness), std::move(e));
}

void add(ice_servers& out, std::string_view url, const base::json& entry) {
  auto uri = stun::server_uri::parse(url);
  if (!uri) {
    ++out.unusable;
  } else if (!uri->turn) {
    if (out.stun.size() < most_servers) out.stun.push_back(std::move(*uri));
  } else {
    turn_entry e{std::move(*uri), std::string(entry.text("username")), std::string(entry.text("credential"))};
    if (e.username.empty() || e.credential.empty()) {  // W3C: both are required of a TURN server
      ++out.unusable;
      return;
    }
    // RFC 5928 §3: where no transport is named every one may be tried. Where UDP is blocked TCP is the way.
    if (e.uri.any_transport && !e.uri.secure) {
      auto over_tcp = e;
      over_tcp.uri.transport = stun::server_uri::transport_kind::tcp;
      insert(out, std::move(over_tcp));
    }
    insert(out, std::move(e));
  }
}

}  // namespace

ice_servers ice_servers::from(const base::json& list) {
  ice_servers out;
  if (list.as_array() == nullptr) return out;
  for (const auto& entry : *list.as_array()) {
    const auto* urls = entry.find("urls");
    if (urls == nullptr) {
      ++out.unusable;
    } else if (const auto* one = urls->as_string()) {
      add(out, *one, entry);
    } else if (const auto* several = urls->as_array()) {
      for (const auto& url : *several)
        if (const auto* text = url.as_string()) add(out, *text, entry);
        else ++out.unusable;
    } else {
      ++out.unusable;
    }
  }
  return out;
}

std::optional<base::wall_time> ice_servers::expiry() const {
  std::optional<base::wall_time> first;
  for (const auto& t : turn)
    if (const auto e = rest_expiry(t.username); e && (!first || *e < *first)) first = e;
  return first;
}

std::optional<base::wall_time> rest_expiry(std::string_view username) noexcept {
  const auto text = username.substr(0, username.find(':'));
  std::int64_t seconds = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  constexpr std::int64_t year_2000 = 946'684'800, year_2200 = 7'258'118'400;
  if (problem != std::errc() || end != text.data() + text.size() || seconds < year_2000 || seconds > year_2200)
    return std::nullopt;
  return base::wall_time(std::chrono::seconds(seconds));
}

base::duration renewal_delay(base::wall_time now, base::wall_time expiry) noexcept {
  return std::max<base::duration>((expiry - now) / 2, std::chrono::minutes(1));
}

}  // namespace strata::mesh
