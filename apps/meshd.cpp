// meshd: the sidecar that keeps a program connected to its peers. Options here, everything else in mesh::node.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <map>

#include "daemon.hpp"
#include "http/url.hpp"
#include "log.hpp"
#include "mesh/identity.hpp"
#include "mesh/node.hpp"
#include "meshd_pairing.hpp"
#include "settings.hpp"
#include "store/sqlite.hpp"
#include "trace/recorder.hpp"

using namespace strata;

namespace {

const std::map<std::string, ice::tcp_policy> tcp_policies{
    {"none", ice::tcp_policy::none}, {"active", ice::tcp_policy::active}, {"all", ice::tcp_policy::all}};
const std::map<std::string, ice::candidate_policy> candidate_policies{
    {"all", ice::candidate_policy::all}, {"relay", ice::candidate_policy::relay}, {"host", ice::candidate_policy::host}};

std::string default_socket() {
  // A directory of the user's own where there is one: anybody may race for a name in /tmp.
  if (const char* runtime = std::getenv("XDG_RUNTIME_DIR"); runtime != nullptr && *runtime != '\0')
    return std::string(runtime) + "/strata-meshd.sock";
  return "/tmp/chatixia-sidecar.sock";
}

std::string own_name() {
  char name[65] = {};
  return ::gethostname(name, sizeof name - 1) == 0 && name[0] != '\0' ? name : "a machine without a name";
}

std::string check_url(const std::string& text, std::initializer_list<std::string_view> schemes) {
  const auto url = http::url::parse(text);
  if (!url) return "'" + text + "' is not a URL: " + url.error().message();
  for (const auto s : schemes)
    if (url->scheme == s) return {};
  return "'" + text + "' has the scheme '" + url->scheme + "', which cannot be used here";
}

std::string check_host_port(const std::string& text) {
  const auto where = base::host_port::parse(text);
  const bool named = where && where->host.find_first_of("/ ") == std::string::npos;
  // What holds a colon and is no port is an IPv6 address or nothing.
  if (named && (where->host.find(':') == std::string::npos || base::ip_address::parse(where->host))) return {};
  return "'" + text + "' is not host[:port]";
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("meshd: keeps a program connected to its peers over encrypted data channels");
  apps::settings settings(app, "meshd");
  mesh::node_config c;
  c.signaling.signaling_url = "ws://localhost:8080/ws";
  c.signaling.token_url = "http://localhost:8080/api/token";
  c.ipc_path = default_socket();
  std::string trace_file, state_directory, rules_file;
  app.add_option("--signaling-url", c.signaling.signaling_url, "WebSocket of the registry")
      ->envname("SIGNALING_URL")
      ->check([](const std::string& u) { return check_url(u, {"ws", "wss"}); });
  app.add_option("--token-url", c.signaling.token_url, "where the API key is exchanged for a token")
      ->envname("TOKEN_URL")
      ->check([](const std::string& u) { return check_url(u, {"http", "https"}); });
  settings.secret("api-key", "API_KEY", c.signaling.api_key, "the API key");
  settings.secret("device-token", "DEVICE_TOKEN", c.signaling.device_token,
                  "the token of a paired device, instead of an API key");
  std::string pair;
  app.add_option("--pair", pair, "a pairing code: ask to join with it, wait for an admin, keep the token in --state-dir");
  app.add_option("--ipc", c.ipc_path, "path of the local socket")->envname("IPC_SOCKET");
  app.add_option("--state-dir", state_directory,
                 "directory of the long-term key, of the keys that peers are known by, and of messages that wait")
      ->envname("STATE_DIRECTORY");
  app.add_option("--rules", rules_file, "JSON file of who may send which messages and use which skills")
      ->check(CLI::ExistingFile);
  app.add_option("--agent-id", c.agent_id, "name of the local program; peers know it as <name>-sidecar")
      ->envname("CHATIXIA_AGENT_ID");
  app.add_option("--stun", c.stun_servers, "STUN servers host[:port] instead of those that the registry names")
      ->check(check_host_port);
  app.add_flag("--no-stun", c.no_stun, "ask no STUN server");
  app.add_flag("--allow-loopback", c.allow_loopback, "development: offer loopback addresses too");
  app.add_option("--interface", c.interfaces.allow, "use only these interfaces ('eth0', 'wl*'); may be repeated");
  app.add_option("--no-interface", c.interfaces.deny, "never use these interfaces; may be repeated");
  app.add_option("--udp-port", c.udp_port, "one UDP port for all peers (0: any); without it each link has its own");
  app.add_flag("--plain", c.plain,
               "speak upstream's protocol only: nothing is acknowledged, kept for later or sent another way");
  app.add_flag("--port-mapping", c.port_mapping, "ask the gateway to forward the port (PCP, NAT-PMP, UPnP)");
  std::string tcp = "none", candidates = "all";
  app.add_option("--tcp-candidates", tcp, "none, active (connects to peers over TCP), or all (is connected to as well)")
      ->check(CLI::IsMember(&tcp_policies))
      ->capture_default_str();
  app.add_option("--candidates", candidates, "all, relay (hides this machine's addresses), or host (asks no server)")
      ->envname("ICE_TRANSPORT_POLICY")
      ->transform(CLI::IsMember(&candidate_policies, CLI::ignore_case))
      ->capture_default_str();
  app.add_option("--trust", c.signaling.trust_file, "PEM file of roots to trust for https and wss")->check(CLI::ExistingFile);
  app.add_option("--trace", trace_file, "record packets, keys and events into this pcapng file");
  if (const auto code = settings.parse(argc, argv)) return *code;

  c.tcp = tcp_policies.at(tcp);
  c.policy = candidate_policies.at(candidates);
  if (!pair.empty() && state_directory.empty()) {
    apps::say(apps::log_level::error, "--pair needs --state-dir, where the token is kept");
    return 2;
  }

  if (!rules_file.empty()) {
    const auto text = store::read_file(rules_file);
    auto rules = text ? mesh::peer_rules::parse(*text) : store::told<mesh::peer_rules>(tl::unexpected(text.error()));
    if (!rules) {
      apps::say(apps::log_level::error, rules_file + ": " + rules.error());
      return 2;
    }
    c.rules = std::move(*rules);
  }

  net::asio_host host;
  if (c.signaling.api_key.empty() && c.signaling.device_token.empty() && !state_directory.empty()) {
    auto token = apps::device_token(host, state_directory, pair, c.agent_id.empty() ? own_name() : c.agent_id,
                                    {c.signaling.token_url, c.signaling.trust_file});
    if (!token) {
      apps::say(apps::log_level::error, token.error());
      return 2;
    }
    c.signaling.device_token = std::move(*token);
  }
  if (c.signaling.api_key.empty() && c.signaling.device_token.empty()) {
    apps::say(apps::log_level::error, "no API key: set API_KEY or --api-key-file, or join with --pair CODE");
    return 2;
  }
  std::unique_ptr<store::engine> kept;
  if (!state_directory.empty()) {
    auto key = mesh::kept_identity(state_directory, [&host](base::byte_span out) { host.random(out); });
    if (!key) {
      apps::say(apps::log_level::error, key.error());
      return 2;
    }
    const auto path = state_directory + "/meshd.db";
    auto opened = store::open_sqlite(host, path, mesh::node::schema());
    if (!opened) {
      apps::say(apps::log_level::error, path + ": " + opened.error().message());
      return 2;
    }
    c.identity = std::move(*key);
    kept = std::move(*opened);
    c.store = kept.get();
  }
  std::unique_ptr<trace::sink> capture;
  if (!trace_file.empty()) {
    auto file = trace::recorder::create(trace_file, "strata meshd", host.wall_now() - host.now().time_since_epoch());
    if (!file) {
      apps::say(apps::log_level::error, "cannot write " + trace_file + ": " + file.error().message());
      return 2;
    }
    capture = std::move(*file);
  }
  apps::log_sink sink(std::move(capture));
  mesh::node node(host, c, &sink);
  if (const auto known = node.recall(); !known) {
    apps::say(apps::log_level::error, state_directory + ": " + known.error());
    return 2;
  }
  if (const auto bound = node.listen(); !bound) {
    apps::say(apps::log_level::error, "cannot bind " + c.ipc_path + ": " + bound.error().message());
    return 2;
  }
  const auto status = "programs attach at " + c.ipc_path;
  apps::say(apps::log_level::info, status);
  return apps::run_daemon(
      host, node.run(),
      {.stop = [&node] { node.stop(); }, .reload = [&settings] { return settings.reload_log_level(); }, .status = status});
}
