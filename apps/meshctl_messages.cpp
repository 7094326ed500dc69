#include "meshctl_messages.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <optional>
#include <vector>

#include "mesh/ipc_client.hpp"

namespace strata::apps {
namespace {

using namespace meshctl_exit;
constexpr auto answer_limit = std::chrono::seconds(15);
constexpr auto look_every = std::chrono::seconds(1);

int complain(std::string_view text, int code = failed) {
  std::fprintf(stderr, "meshctl: %.*s\n", static_cast<int>(text.size()), text.data());
  return code;
}

using client_pointer = std::unique_ptr<mesh::ipc_client>;

async::task<client_pointer> attach(net::host& h, std::string path) {
  auto client = co_await mesh::ipc_client::attach(h, path);
  if (client) co_return std::move(*client);
  complain("no meshd at " + path + ": " + client.error().message());
  co_return nullptr;
}

struct state {
  base::json node;
  std::vector<base::json> links;
};

async::task<std::optional<state>> look(mesh::ipc_client& c) {
  if (!co_await c.command("status", base::json::object())) co_return std::nullopt;
  state s;
  for (;;) {
    auto e = co_await async::with_timeout(answer_limit, c.next());
    if (!e) co_return std::nullopt;
    if (e->type == "link") s.links.push_back(std::move(e->payload));
    if (e->type != "status") continue;
    s.node = std::move(e->payload);
    co_return s;
  }
}

const base::json& part(const base::json& v, std::string_view name) {
  static const base::json nothing;
  const auto* found = v.find(name);
  return found != nullptr ? *found : nothing;
}

std::string name_of(const base::json& link) {
  return std::string(link.text("alias").empty() ? link.text("peer") : link.text("alias"));
}

std::string number(const base::json& v, std::string_view unit = {}) {
  const auto d = v.as_double();
  return d ? fmt::format("{:.1f}{}", *d, unit) : "-";
}

std::string pair_of(const base::json& connection) {
  const auto side = [&](std::string_view which) {
    const auto& c = part(connection, which);
    return c.is_null() ? std::string("-") : fmt::format("{} {}", c.text("type"), c.text("address"));
  };
  return side("local") + " -> " + side("remote");
}

std::string row(const base::json& link) {
  const auto& delivery = part(link, "delivery");
  return fmt::format("{:24} {:10} {:8} {:>9}  waiting {}", name_of(link), link.text("state"),
                     delivery.is_null() ? "plain" : delivery.text("tier"), number(part(part(link, "path"), "rtt_ms"), " ms"),
                     part(delivery, "waiting").as_int().value_or(0));
}

void advise(const state& s, const base::json& link) {
  const auto& delivery = part(link, "delivery");
  const auto tier = delivery.text("tier");
  const auto line = [](std::string_view text) { fmt::print("  {}\n", text); };
  fmt::print("what to change\n");
  if (s.node.text("signaling") != "registered")
    line("bring the registry back: without it no link can be made or mended, and nothing can go through its queue");
  if (link.text("state") != "open") {
    line("look whether the peer runs: without it at the registry nobody answers an offer");
    line(
        "look at the pairs above: when all have failed, UDP is blocked at one of the two ends and no relay was offered "
        "(meshctl nat)");
  }
  if (tier == "relayed") {
    line("both ends are behind NATs or firewalls that keep a direct way shut (meshctl nat says which at each end)");
    line(
        "open one end: an endpoint-independent NAT, --port-mapping where the gateway can, a public address, or IPv6 at both "
        "ends");
  }
  if (tier == "tasks") {
    line("the link does not answer or is not there: messages go through the registry's queue until it does");
    line("a TURN server over TCP or TLS (port 443) passes where UDP does not: registryd --turn-tls, or --turn-url turns:...");
  }
  if (tier == "direct" || (delivery.is_null() && link.text("state") == "open"))
    line("nothing: this is the fastest way there is");
}

void tell(const state& s, const base::json& link) {
  const auto& connection = part(link, "connection");
  const auto& delivery = part(link, "delivery");
  if (delivery.is_null()) fmt::print("{}: the plain protocol, over its link only\n", name_of(link));
  else
    fmt::print("{}: messages take the way '{}'; {} wait\n", name_of(link), delivery.text("tier"),
               part(delivery, "waiting").as_int().value_or(0));
  fmt::print("  link {}: {}; {} attempts, {} restarts\n", link.text("state"), link.text("reason"),
             part(link, "attempts").as_int().value_or(0), part(link, "restarts").as_int().value_or(0));
  fmt::print("  path {}, rtt {}, loss {}\n", pair_of(connection), number(part(part(link, "path"), "rtt_ms"), " ms"),
             number(part(part(link, "path"), "loss")));
  fmt::print("  registry {}{}{}\n", s.node.text("signaling"), s.node.text("signaling_error").empty() ? "" : ": ",
             s.node.text("signaling_error"));
  fmt::print("  the peer's key: {}\n", part(link, "identity").text("verdict"));
  fmt::print("what was tried\n");
  if (const auto* pairs = part(connection, "pairs").as_array(); pairs != nullptr && !pairs->empty())
    for (const auto& p : *pairs) fmt::print("  {:44} {:12} {}\n", pair_of(p), p.text("state"), p.text("reason"));
  else fmt::print("  no pairs: no attempt has come so far\n");
  advise(s, link);
}

}  // namespace

async::task<int> request(net::host& h, std::string ipc_path, request_options o) {
  auto client = co_await attach(h, ipc_path);
  if (!client) co_return no_meshd;
  const auto id = fmt::format("meshctl-{:016x}", h.random_u64());
  auto message = base::json::make({{"type", "task_request"},
                                   {"request_id", id},
                                   {"target_agent", o.peer},
                                   {"payload", base::json::make({{"message", o.text}, {"skill", o.skill}})}});
  const auto limit = std::chrono::duration_cast<base::duration>(std::chrono::duration<double>(o.seconds));
  const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(limit).count();
  const auto sent = co_await client->command(
      "send", base::json::make({{"target_peer", o.peer}, {"deadline_ms", milliseconds}, {"message", std::move(message)}}));
  if (!sent) co_return complain(sent.error().message());
  const auto until = h.now() + limit;
  while (h.now() < until) {
    auto e = co_await async::with_timeout(until - h.now(), client->next());
    if (!e && e.error() == base::errc::timed_out) break;
    if (!e) co_return complain(e.error().message(), no_meshd);
    const auto& m = part(e->payload, "message");
    if (e->type != "message" || m.text("type") != "task_response" || m.text("request_id") != id) continue;
    const auto& payload = part(m, "payload");
    if (o.as_json) fmt::print("{}\n", payload.dump());
    else fmt::print("{}\n", payload.text("error").empty() ? payload.text("result") : payload.text("error"));
    co_return payload.text("error").empty() ? done : failed;
  }
  co_return complain("no answer in time", no_answer);
}

async::task<int> listen(net::host& h, std::string ipc_path, listen_options o) {
  auto client = co_await attach(h, ipc_path);
  if (!client) co_return no_meshd;
  for (int heard = 0; o.count == 0 || heard < o.count;) {
    auto e = co_await client->next();
    if (!e) co_return complain(e.error().message(), no_meshd);
    if (e->type != "message") continue;
    ++heard;
    const auto& m = part(e->payload, "message");
    if (o.as_json) fmt::print("{}\n", e->payload.dump());
    else
      fmt::print("{} {}: {}\n", e->payload.text("from_peer"), m.text("type"),
                 part(m, "payload").text("message", part(m, "payload").dump()));
    std::fflush(stdout);
    if (o.answer.empty() || m.text("type") != "task_request") continue;
    auto reply = base::json::make({{"type", "task_response"},
                                   {"request_id", m.text("request_id")},
                                   {"target_agent", m.text("source_agent")},
                                   {"payload", base::json::make({{"result", o.answer}, {"error", ""}})}});
    (void)co_await client->command(
        "send", base::json::make({{"target_peer", e->payload.text("from_peer")}, {"message", std::move(reply)}}));
  }
  co_return done;
}

async::task<int> watch(net::host& h, std::string ipc_path, bool as_json) {
  auto client = co_await attach(h, ipc_path);
  if (!client) co_return no_meshd;
  std::string shown;
  for (;; co_await async::sleep_for(look_every)) {
    const auto s = co_await look(*client);
    if (!s) co_return complain("the meshd has ended", no_meshd);
    std::string text = as_json ? std::string()
                               : fmt::format("registry {}, {} of {} links open\n", s->node.text("signaling"),
                                             part(s->node, "open").as_int().value_or(0), s->links.size());
    for (const auto& l : s->links)
      text +=
          as_json
              ? base::json::make({{"peer", name_of(l)}, {"state", l.text("state")}, {"tier", part(l, "delivery").text("tier")}})
                        .dump() +
                    "\n"
              : row(l) + "\n";
    if (text == shown) continue;
    shown = text;
    fmt::print("{}{}", text, as_json ? "" : "\n");
    std::fflush(stdout);
  }
}

async::task<int> explain(net::host& h, std::string ipc_path, std::string peer, bool as_json) {
  auto client = co_await attach(h, ipc_path);
  if (!client) co_return no_meshd;
  const auto s = co_await look(*client);
  if (!s) co_return complain("the meshd does not answer", no_meshd);
  for (const auto& l : s->links) {
    if (l.text("peer") != peer && l.text("alias") != peer) continue;
    if (as_json) fmt::print("{}\n", l.dump());
    else tell(*s, l);
    co_return done;
  }
  co_return complain("the peer '" + peer +
                     "' is not known here: the registry has never named it, or it is spelt otherwise (meshctl peers)");
}

}  // namespace strata::apps
