// meshctl: looks into a running meshd, a STUN server, a message, a recorded run. Options here; each command is one
// procedure that prints.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>

#include "async/async.hpp"
#include "base/hex.hpp"
#include "mesh/ipc_client.hpp"
#include "meshctl_completion.hpp"
#include "meshctl_doctor.hpp"
#include "meshctl_messages.hpp"
#include "meshctl_nat.hpp"
#include "meshctl_trust.hpp"
#include "meshctl_turn.hpp"
#include "net/asio_host.hpp"
#include "stun/explain.hpp"
#include "stun/query.hpp"
#include "trace/pcapng.hpp"
#include "trace/recorder.hpp"
#include "trace/timeline.hpp"

using namespace strata;

namespace {

using namespace apps::meshctl_exit;
constexpr auto answer_limit = std::chrono::seconds(15);

int complain(std::string_view text, int code = failed) {
  std::fprintf(stderr, "meshctl: %.*s\n", static_cast<int>(text.size()), text.data());
  return code;
}

std::string default_socket() {
  if (const char* path = std::getenv("IPC_SOCKET"); path != nullptr && *path != '\0') return path;
  if (const char* runtime = std::getenv("XDG_RUNTIME_DIR"); runtime != nullptr && *runtime != '\0')
    return std::string(runtime) + "/strata-meshd.sock";
  return "/tmp/chatixia-sidecar.sock";
}

std::string number(const base::json* v) {
  const auto d = v != nullptr ? v->as_double() : std::nullopt;
  return d ? fmt::format("{:.2f}", *d) : "-";
}

std::string side(const base::json& connection, std::string_view which) {
  const auto* c = connection.find(which);
  return c == nullptr ? "-" : fmt::format("{} {}", c->text("type"), c->text("address"));
}

void print_link(const base::json& l) {
  static const base::json nothing;
  const auto* c = l.find("connection");
  const auto& connection = c != nullptr ? *c : nothing;
  const auto* rtt = l.find("rtt_ms");
  fmt::print("{:20} {:10} {} -> {}\n", l.text("alias").empty() ? l.text("peer") : l.text("alias"), l.text("state"),
             side(connection, "local"), side(connection, "remote"));
  if (const auto* p = connection.find("phases_ms")) {
    std::string phases;
    for (const auto* name : {"signaling", "gathering", "checks", "dtls", "sctp", "channel"})
      phases += fmt::format(" {} {}", name, number(p->find(name)));
    fmt::print("{:20} ms:{}\n", "", phases);
  }
  fmt::print("{:20} rtt p50 {} p99 {} ms; sent {}, received {}; {}\n", "", number(rtt != nullptr ? rtt->find("p50") : nullptr),
             number(rtt != nullptr ? rtt->find("p99") : nullptr), l.find("messages_sent")->as_int().value_or(0),
             l.find("messages_received")->as_int().value_or(0), l.text("reason"));
  if (const auto* who = l.find("identity"); who != nullptr) {
    const auto key = who->text("fingerprint");
    fmt::print("{:20} {}{}{}\n", "", who->text("verdict"), key.empty() ? "" : ": ", key);
    if (const auto refusal = who->text("refusal"); !refusal.empty())
      fmt::print("{:20} refused {}, the latest: {}\n", "", who->find("refused")->as_int().value_or(0), refusal);
  }
}

async::task<int> show_status(net::host& h, std::string path, bool peers_only, bool as_json) {
  auto client = co_await mesh::ipc_client::attach(h, path);
  if (!client) co_return complain("no meshd at " + path + ": " + client.error().message(), no_meshd);
  if (auto sent = co_await (*client)->command("status", base::json::object()); !sent)
    co_return complain(sent.error().message());
  base::json::array links;
  for (;;) {
    auto e = co_await async::with_timeout(answer_limit, (*client)->next());
    if (!e) co_return complain(e.error().message());
    if (e->type == "link") links.push_back(std::move(e->payload));
    if (e->type != "status") continue;
    if (as_json) {
      e->payload.set("link", std::move(links));
      fmt::print("{}\n", e->payload.dump());
      co_return done;
    }
    if (!peers_only)
      fmt::print("peer {}, registry {}{}{}, {} of {} links open\n", e->payload.text("peer_id"), e->payload.text("signaling"),
                 e->payload.text("signaling_error").empty() ? "" : ": ", e->payload.text("signaling_error"),
                 e->payload.find("open")->as_int().value_or(0), links.size());
    for (const auto& l : links) {
      if (!peers_only) print_link(l);
      else if (l.text("state") == "open") fmt::print("{}\n", l.text("alias").empty() ? l.text("peer") : l.text("alias"));
    }
    co_return done;
  }
}

async::task<int> send_text(net::host& h, std::string path, std::string peer, std::string text) {
  auto client = co_await mesh::ipc_client::attach(h, path);
  if (!client) co_return complain("no meshd at " + path + ": " + client.error().message(), no_meshd);
  auto message = base::json::make({{"type", "agent_prompt"},
                                   {"target_agent", peer},
                                   {"payload", base::json::make({{"message", std::move(text)}, {"direct", true}})}});
  (void)co_await (*client)->command(
      "send", base::json::make({{"target_peer", peer}, {"message", std::move(message)}, {"id", "meshctl"}}));
  // Commands are handled in order: when the list comes, the message has been taken or refused.
  (void)co_await (*client)->command("list_peers", base::json::object());
  bool greeted = false;
  for (;;) {
    auto e = co_await async::with_timeout(answer_limit, (*client)->next());
    if (!e) co_return complain(e.error().message());
    if (e->type == "send_failed" && e->payload.text("id") == "meshctl")
      co_return complain(std::string(e->payload.text("error")));
    if (e->type == "peer_list" && std::exchange(greeted, true)) co_return done;
  }
}

async::task<int> ping(net::host& h, std::string path, std::string peer, int count) {
  auto client = co_await mesh::ipc_client::attach(h, path);
  if (!client) co_return complain("no meshd at " + path + ": " + client.error().message(), no_meshd);
  std::vector<double> times;
  for (int i = 0; i < count; ++i) {
    (void)co_await (*client)->command("ping", base::json::make({{"target_peer", peer}, {"id", "meshctl"}}));
    for (;;) {
      auto e = co_await async::with_timeout(answer_limit, (*client)->next());
      if (!e) co_return complain(e.error().message());
      if (e->type == "send_failed" && e->payload.text("id") == "meshctl")
        co_return complain(std::string(e->payload.text("error")));
      if (e->type != "pong" || e->payload.text("id") != "meshctl") continue;
      times.push_back(e->payload.find("rtt_ms")->as_double().value_or(0));
      fmt::print("{}: {:.3f} ms\n", peer, times.back());
      break;
    }
  }
  std::sort(times.begin(), times.end());
  fmt::print("{} round trips, p50 {:.3f} ms, p99 {:.3f} ms\n", times.size(), times[times.size() / 2],
             times[times.size() * 99 / 100]);
  co_return done;
}

async::task<int> ask_stun(net::host& h, std::string server) {
  const auto where = base::host_port::parse(server);
  if (!where || where->host.empty()) co_return complain("'" + server + "' is not host[:port]");
  const auto addresses = co_await h.resolve(where->host);
  if (!addresses) co_return complain(where->host + ": " + addresses.error().message());
  base::error last;
  for (const auto& a : *addresses) {
    const auto answer = co_await stun::query_binding(h, base::endpoint{a, where->port.value_or(3478)});
    if (answer) {
      fmt::print("{}\n", answer->mapped.to_string());
      std::fprintf(stderr, "from %s in %.2f ms, %u transmissions\n", answer->server.to_string().c_str(),
                   base::milliseconds(answer->round_trip), answer->transmissions);
      co_return done;
    }
    last = answer.error();
  }
  co_return complain(server + ": " + last.message());
}

int decode(std::string text) {
  if (text == "-") text.assign(std::istreambuf_iterator<char>(std::cin), {});
  const auto data = base::from_hex(text);
  if (!data) return complain("that is not hexadecimal");
  const auto e = stun::explain(*data);
  fmt::print("{}", stun::to_text(e, *data));
  return e.error ? failed : done;
}

int show_timeline(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return complain("cannot read " + path);
  const std::string all{std::istreambuf_iterator<char>(file), {}};
  const auto contents = trace::pcapng::read(base::as_bytes(all));
  if (!contents) return complain(path + ": " + contents.error().message());
  fmt::print("{}", trace::timeline(*contents));
  return done;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("meshctl: looks into meshd, STUN servers, messages and recorded runs");
  app.require_subcommand(1);
  app.footer(
      "Ends with 0: done; 1: it could not be done, or the answer is an error; 2: wrong options; 3: no meshd at the socket; 4: "
      "no answer in time.");
  std::string path = default_socket();
  app.add_option("--ipc", path, "local socket of the meshd")->capture_default_str();
  bool as_json = false;
  std::string peer, text, server, hex, file;
  int count = 5;
  auto* status =
      app.add_subcommand("status", "the registry session and every link with its candidates, phases and round trips");
  status->add_flag("--json", as_json, "as JSON");
  auto* peers = app.add_subcommand("peers", "the names of the peers that are linked");
  auto* send = app.add_subcommand("send", "send a text to a peer's program");
  send->add_option("peer", peer)->required();
  send->add_option("text", text)->required();
  auto* ask = app.add_subcommand("request", "ask a peer's program, and print its answer");
  apps::request_options request_options;
  ask->add_option("peer", request_options.peer)->required();
  ask->add_option("text", request_options.text)->required();
  ask->add_option("--skill", request_options.skill, "which of its skills is meant");
  ask->add_option("--seconds", request_options.seconds, "how long to wait")
      ->check(CLI::Range(0.001, 86400.0))
      ->capture_default_str();
  ask->add_flag("--json", request_options.as_json, "the payload of the answer as JSON");
  auto* listens = app.add_subcommand("listen", "print what arrives for the programs of this meshd");
  apps::listen_options listen_options;
  listens->add_option("--answer", listen_options.answer, "answer every request with this text");
  listens->add_option("-n,--count", listen_options.count, "end after so many messages")->check(CLI::Range(1, 1000000));
  listens->add_flag("--json", listen_options.as_json, "as JSON, a line for each");
  auto* watches = app.add_subcommand("watch", "the links and the way that messages take, whenever something changes");
  watches->add_flag("--json", as_json, "as JSON, a line for each link");
  auto* explains =
      app.add_subcommand("explain", "why messages to a peer take the way they take, what was tried, what to change");
  explains->add_option("peer", peer)->required();
  explains->add_flag("--json", as_json, "all that the meshd says of the link, as JSON");
  auto* doctor = app.add_subcommand("doctor", "what may keep the meshd from doing its work, and what to do about it");
  doctor->add_flag("--json", as_json, "as JSON");
  std::string shell;
  auto* complete =
      app.add_subcommand("completion", "a script that teaches a shell these commands: source <(meshctl completion bash)");
  complete->add_option("shell", shell)->required()->check(CLI::IsMember({"bash", "zsh", "fish"}));
  auto* ping_peer = app.add_subcommand("ping", "round trips to a peer's sidecar");
  ping_peer->add_option("peer", peer)->required();
  ping_peer->add_option("-n,--count", count, "how many")->check(CLI::Range(1, 10000))->capture_default_str();
  auto* trust = app.add_subcommand("trust", "the keys by which the meshd knows its peers");
  trust->require_subcommand(1);
  apps::trust_options trust_options;
  const auto add_trust = [&](const char* name, const char* what, bool of_a_peer) {
    auto* sub = trust->add_subcommand(name, what);
    if (of_a_peer) sub->add_option("peer", trust_options.peer, "id or alias of the peer")->required();
    sub->add_flag("--json", trust_options.as_json, "as JSON");
    sub->callback([&trust_options, name] { trust_options.action = name; });
    return sub;
  };
  add_trust("list", "all known keys", false);
  add_trust("show", "the key of one peer, and the one that was refused since", true);
  add_trust("accept", "take the key that was refused, or mark the known one as compared", true)
      ->add_option("fingerprint", trust_options.fingerprint, "of the key that is meant: six groups of five digits, in quotes");
  add_trust("forget", "take whatever key the peer shows next", true);
  add_trust("own", "the fingerprint of this meshd, for its peers to compare", false);
  auto* stun_query = app.add_subcommand("stun", "the address that a STUN server sees");
  stun_query->add_option("server", server, "host[:port]")->required();
  auto* turn = app.add_subcommand("turn", "try a TURN server out: allocate, relay a packet to ourselves, report");
  apps::turn_options turn_options;
  turn->add_option("uri", turn_options.uri, "turn:host[:port][?transport=tcp] or turns:host[:port]")->required();
  turn->add_option("--username", turn_options.username, "long-term credentials (or TURN_USERNAME)")->envname("TURN_USERNAME");
  turn->add_option("--password", turn_options.password, "better given as TURN_PASSWORD: options can be read by everybody")
      ->envname("TURN_PASSWORD");
  turn->add_option("--trust", turn_options.trust_file, "PEM file of roots to trust for turns:")->check(CLI::ExistingFile);
  turn->add_flag("--ipv6", turn_options.ipv6, "ask for an IPv6 address");
  turn->add_flag("--both", turn_options.both, "ask for an address of each family");
  turn->add_flag("--json", turn_options.as_json, "as JSON");

  auto* nat = app.add_subcommand("nat", "which NAT this machine is behind, and which tier to expect towards whom");
  apps::nat_options nat_options;
  nat->add_option("--server", nat_options.servers, "STUN server host[:port]; several may be given, RFC 5780 tells more");
  nat->add_option("--registry", nat_options.registry,
                  "ask the STUN servers that this registry names, for example "
                  "http://127.0.0.1:8080");
  nat->add_flag("--lifetime", nat_options.lifetime, "measure how long mappings live as well: many minutes");
  auto* nat_json = nat->add_flag("--json", nat_options.as_json, "as JSON");
  nat->add_flag("--line", nat_options.as_line, "as one line")->excludes(nat_json);
  auto* port_map = app.add_subcommand("portmap", "ask the gateway for an outside UDP port (PCP, NAT-PMP, UPnP)");
  apps::port_mapping_options mapping_options;
  port_map->add_option("port", mapping_options.port, "inside port")->required()->check(CLI::Range(1, 65535));
  port_map->add_option("--protocol", mapping_options.protocol)->check(CLI::IsMember({"pcp", "nat-pmp", "upnp"}));
  port_map->add_option("--seconds", mapping_options.seconds, "how long to keep it")->check(CLI::Range(0, 1000000));
  auto* decode_message = app.add_subcommand("decode", "annotate a STUN message given in hexadecimal, or - for standard input");
  decode_message->add_option("hex", hex)->required();
  auto* timeline = app.add_subcommand("timeline", "a recorded run as a ladder of phases");
  timeline->add_option("file", file, "what meshd --trace wrote")->required();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? done : misused;
  }

  if (*complete) {
    fmt::print("{}", apps::completion(app, shell));
    return done;
  }
  if (*decode_message) return decode(hex);
  if (*timeline) return show_timeline(file);
  net::asio_host host;
  if (*status || *peers) return host.run(show_status(host, path, peers->parsed(), as_json));
  if (*send) return host.run(send_text(host, path, peer, text));
  if (*ask) return host.run(apps::request(host, path, request_options));
  if (*listens) return host.run(apps::listen(host, path, listen_options));
  if (*watches) return host.run(apps::watch(host, path, as_json));
  if (*doctor) return host.run(apps::examine(host, path, as_json));
  if (*explains) return host.run(apps::explain(host, path, peer, as_json));
  if (*ping_peer) return host.run(ping(host, path, peer, count));
  if (*trust) return host.run(apps::speak_of_trust(host, path, trust_options));
  if (*turn) return host.run(apps::show_turn(host, turn_options));
  if (*port_map) return host.run(apps::map_port(host, mapping_options));
  if (*nat) return host.run(apps::show_nat(host, nat_options));
  return host.run(ask_stun(host, server));
}
