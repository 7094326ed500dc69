// registryd: where peers find each other. Options here, everything else in registry::service.
#include <CLI/CLI.hpp>
#include <cstdlib>

#include "daemon.hpp"
#include "log.hpp"
#include "registry/laboratory_certificate.hpp"
#include "registry/service.hpp"
#include "registry/state_files.hpp"
#include "registryd_commands.hpp"
#include "registryd_turn.hpp"
#include "settings.hpp"

using namespace strata;

namespace {

std::string default_state_directory() {
  if (const char* systemd = std::getenv("STATE_DIRECTORY"); systemd != nullptr && *systemd != '\0') return systemd;
  if (const char* xdg = std::getenv("XDG_STATE_HOME"); xdg != nullptr && *xdg != '\0')
    return std::string(xdg) + "/strata-registryd";
  if (const char* home = std::getenv("HOME"); home != nullptr && *home != '\0')
    return std::string(home) + "/.local/state/strata-registryd";
  return "strata-registryd";
}

std::string check_endpoint(const std::string& text) {
  return base::endpoint::parse(text) ? std::string()
                                     : "'" + text + "' is not ADDRESS:PORT, for example 127.0.0.1:8080 or [::1]:8080";
}

std::optional<base::endpoint> address_and_port(const std::string& text) {
  if (const auto address = base::ip_address::parse(text)) return base::endpoint{*address, 0};
  return base::endpoint::parse(text);
}

std::string check_address(const std::string& text) {
  return address_and_port(text) ? std::string() : "'" + text + "' is not ADDRESS or ADDRESS:PORT, for example 192.0.2.2";
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("registryd: introduces peers to each other and stays out of their way");
  apps::settings settings(app, "registryd");
  registry::service_config c;
  c.state_directory = default_state_directory();
  std::vector<std::string> listen{"127.0.0.1:8080"};
  std::string stun, alternate;
  std::optional<std::uint16_t> port;
  auto* listens =
      app.add_option("--listen", listen, "address of the HTTP and WebSocket server; may be repeated, for IPv4 and IPv6")
          ->check(check_endpoint)
          ->capture_default_str();
  app.add_option("--port", port, "where nothing says --listen: this port of every IPv4 address")->envname("PORT");
  app.add_option("--stun", stun, "address of the built-in STUN responder; none without it")->check(check_endpoint);
  app.add_option("--stun-alternate", alternate,
                 "ADDRESS[:PORT]: another address of this machine, for NAT behaviour discovery (RFC 5780)")
      ->check(check_address)
      ->needs("--stun");
  app.add_option("--keys", c.keys_file, "file of API keys: {\"keys\": {\"<key>\": {\"peer_id\", \"role\"}}}")
      ->envname("API_KEYS_FILE");
  app.add_option("--state-dir", c.state_directory, "where the store and the secrets that were made here are kept")
      ->capture_default_str();
  settings.secret("token-secret", "SIGNALING_SECRET", c.token_secret, "the secret that tokens are signed with");
  app.add_option("--public-stun", c.public_stun, "STUN servers host:port that peers are told of, beside the built-in one");
  app.add_option("--turn-url", c.turn_urls,
                 "TURN server that peers are told of, for example turn:turn.example.org:3478?transport=tcp; may be repeated")
      ->envname("TURN_URL");
  settings.secret("turn-secret", "TURN_SECRET", c.turn_secret, "the secret that is shared with the TURN server");
  std::string previous_turn_secret;
  settings.secret("turn-secret-previous", "TURN_SECRET_PREVIOUS", previous_turn_secret, "the one before it, still good");
  auto turn = apps::add_turn_options(app);
  app.add_option("--tls-cert", c.tls_certificate, "PEM certificate chain: HTTPS and WSS only")->check(CLI::ExistingFile);
  auto* tls_key = app.add_option("--tls-key", c.tls_key, "PEM private key of --tls-cert")->check(CLI::ExistingFile);
  bool self_signed = false;
  app.add_flag("--tls-self-signed", self_signed,
               "for a laboratory: HTTPS and WSS with a certificate that is made once and kept in the state directory")
      ->excludes(tls_key);
  double drain = 20, drain_delay = 0;
  app.add_option("--drain", drain, "seconds from SIGTERM to the end, at most: what has begun is finished in them")
      ->check(CLI::Range(0.0, 3600.0))
      ->capture_default_str();
  app.add_option("--drain-delay", drain_delay,
                 "seconds of these in which /readyz says no and clients are still let in: for a balancer that asks it")
      ->check(CLI::Range(0.0, 3600.0))
      ->capture_default_str();
  app.add_option("--cors-origin", c.cors_origins,
                 "https://HOST[:PORT] of web pages that may use the API, or *; none without it")
      ->check(registry::cors::check);
  app.add_option("--ports-file", c.ports_file, "write the bound ports as JSON into this file");
  app.add_flag("--dev", c.dev, "development on loopback: a built-in key, reading without credentials");

  auto* add_key = app.add_subcommand("add-key", "make an API key for a peer, add it to --keys and print it");
  std::string peer, role = "agent";
  add_key->add_option("peer", peer, "peer id")->required();
  add_key->add_option("--role", role)->capture_default_str();
  bool six_digits = false;
  app.add_flag("--six-digit-codes", six_digits, "pairing codes as clients of the older protocol insist on them");
  std::vector<std::string> proxies;
  app.add_option("--trusted-proxy", proxies, "ADDRESS[/BITS] of proxies whose X-Forwarded-For is believed; may be repeated");
  apps::registryd_commands commands(app);
  if (const auto code = settings.parse(argc, argv)) return *code;
  if (const auto code = commands.run(c)) return *code;

  if (six_digits) c.pairing.codes = registry::code_kind::six_digits;
  for (const auto& text : proxies) {
    const auto prefix = turn::server::address_prefix::parse(text);
    if (!prefix) {
      apps::say(apps::log_level::error, "--trusted-proxy: '" + text + "' is not ADDRESS[/BITS]");
      return 2;
    }
    c.pairing.trusted_proxies.push_back(*prefix);
  }

  if (port && listens->count() == 0) listen = {"0.0.0.0:" + std::to_string(*port)};
  if (drain_delay > drain) {
    apps::say(apps::log_level::error, "--drain-delay is a part of --drain: it cannot be longer");
    return 2;
  }
  c.drain = std::chrono::duration_cast<base::duration>(std::chrono::duration<double>(drain));
  c.drain_delay = std::chrono::duration_cast<base::duration>(std::chrono::duration<double>(drain_delay));
  for (const auto& l : listen) c.listen.push_back(*base::endpoint::parse(l));
  if (!stun.empty()) c.stun = *base::endpoint::parse(stun);
  if (!alternate.empty()) c.stun_alternate = *address_and_port(alternate);
  c.turn = turn->config();
  if (c.turn) c.turn->previous_secret = previous_turn_secret;

  net::asio_host host;
  if (*add_key) {
    const auto key = registry::add_key(host, c.keys_file, peer, role);
    if (!key) {
      apps::say(apps::log_level::error, key.error());
      return 2;
    }
    std::puts(key->c_str());
    return 0;
  }
  if (self_signed) {
    const auto kept = registry::kept_certificate(host, c.state_directory, c.listen);
    if (!kept) {
      apps::say(apps::log_level::error, kept.error());
      return 2;
    }
    c.tls_certificate = kept->certificate_file;
    c.tls_key = kept->key_file;
    apps::say(apps::log_level::warning,
              "a self-signed certificate, for a laboratory: " + kept->certificate_file + ", fingerprint " + kept->fingerprint);
  }
  apps::log_sink sink;
  registry::service service(host, c, trace::tracer(sink, {}));
  if (const auto trouble = service.start(); !trouble.empty()) {
    apps::say(apps::log_level::error, trouble);
    return 2;
  }
  std::string status = "listening on";
  for (const auto& e : service.http_endpoints()) status += ' ' + e.to_string();
  apps::say(apps::log_level::info, status);
  return apps::run_daemon(host, service.run(),
                          {.stop = [&service] { service.stop(); },
                           .reload =
                               [&] {
                                 auto trouble = settings.reload_log_level();
                                 return trouble.empty() ? service.reload() : trouble;
                               },
                           .status = status});
}
