#include "meshctl_trust.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <cstdio>

#include "mesh/ipc_client.hpp"

namespace strata::apps {
namespace {

constexpr auto answer_limit = std::chrono::seconds(15);

int complain(std::string_view text) {
  std::fprintf(stderr, "meshctl: %.*s\n", static_cast<int>(text.size()), text.data());
  return 1;
}

void print_pin(const base::json& p) {
  const auto* compared = p.find("compared");
  const auto* since = p.find("since");
  const auto day = std::chrono::sys_seconds(std::chrono::seconds(since != nullptr ? since->as_int().value_or(0) : 0));
  const auto alias = p.text("alias");
  fmt::print("{}{}{}\n  {}\n  since {:%Y-%m-%d %H:%M} UTC, {}\n", p.text("peer"), alias.empty() ? "" : ", known as ", alias,
             p.text("fingerprint"), fmt::gmtime(std::chrono::system_clock::to_time_t(day)),
             compared != nullptr && compared->as_bool() == true ? "accepted by you" : "taken at first contact, not compared");
  if (const auto refused = p.text("refused"); !refused.empty()) fmt::print("  REFUSED since: {}\n", refused);
}

}  // namespace

async::task<int> speak_of_trust(net::host& h, std::string ipc_path, trust_options o) {
  auto client = co_await mesh::ipc_client::attach(h, ipc_path);
  if (!client) co_return complain("no meshd at " + ipc_path + ": " + client.error().message());
  auto payload = base::json::make({{"action", o.action}, {"id", "meshctl"}});
  if (!o.peer.empty()) payload.set("target_peer", o.peer);
  if (!o.fingerprint.empty()) payload.set("fingerprint", o.fingerprint);
  if (auto sent = co_await (*client)->command("trust", std::move(payload)); !sent) co_return complain(sent.error().message());
  base::json::array pins;
  for (;;) {
    auto e = co_await async::with_timeout(answer_limit, (*client)->next());
    if (!e) co_return complain(e.error().message());
    if (e->type == "pin") pins.push_back(std::move(e->payload));
    if (e->type != "trust" || e->payload.text("id") != "meshctl") continue;
    const std::string error(e->payload.text("error"));
    if (o.as_json) {
      e->payload.set("pins", std::move(pins));
      fmt::print("{}\n", e->payload.dump());
      co_return error.empty() ? 0 : 1;
    }
    for (const auto& p : pins) print_pin(p);
    if (!error.empty()) co_return complain(error);
    if (o.action == "own") fmt::print("{}\n", e->payload.text("fingerprint"));
    if (o.action == "forget") fmt::print("forgotten: the next key that this peer shows is taken\n");
    co_return 0;
  }
}

}  // namespace strata::apps
