#include "registryd_commands.hpp"

#include <fmt/format.h>

#include <cstdlib>

#include "base/hex.hpp"
#include "base/json.hpp"
#include "http/client.hpp"
#include "log.hpp"
#include "net/asio_host.hpp"
#include "net/tls_stream.hpp"
#include "registry/audit.hpp"
#include "store/sqlite.hpp"

namespace strata::apps {

registryd_commands::registryd_commands(CLI::App& app) {
  pairing_ =
      app.add_subcommand("pairing", "who may join: asks the registryd at --url, with the API key of an admin in ADMIN_KEY");
  pairing_->require_subcommand(1);
  pairing_->add_option("--url", url_, "of the registryd")->capture_default_str();
  pairing_->add_option("--trust", trust_file_, "PEM file of roots to trust for https")->check(CLI::ExistingFile);
  code_ = pairing_->add_subcommand("code", "a code that lets one machine ask to join");
  list_ = pairing_->add_subcommand("list", "all pairings");
  approve_ = pairing_->add_subcommand("approve", "lets a machine in");
  reject_ = pairing_->add_subcommand("reject", "turns a machine away");
  revoke_ = pairing_->add_subcommand("revoke", "ends a machine's access, and its connections");
  for (auto* c : {approve_, reject_, revoke_}) c->add_option("id", id_, "of the pairing")->required();
  audit_ = app.add_subcommand("audit", "the log of what happened that matters for security");
  audit_->require_subcommand(1);
  verify_ = audit_->add_subcommand("verify", "proves that the log in --state-dir is whole, and prints its head");
}

std::optional<int> registryd_commands::run(const registry::service_config& c) const {
  if (*pairing_) return pair();
  if (*audit_) return verify(c);
  return std::nullopt;
}

int registryd_commands::pair() const {
  const char* key = std::getenv("ADMIN_KEY");
  if (key == nullptr || *key == '\0') {
    say(log_level::error, "set ADMIN_KEY to the API key of an admin");
    return 2;
  }
  auto url = http::url::parse(url_);
  if (!url) {
    say(log_level::error, "'" + url_ + "' is not a URL: " + url.error().message());
    return 2;
  }
  url->path = "/api/pairing/" + (*list_   ? std::string("all")
                                 : *code_ ? std::string("generate-code")
                                          : id_ + "/" +
                                                (*approve_  ? "approve"
                                                 : *reject_ ? "reject"
                                                            : "revoke"));
  net::asio_host host;
  http::fetch_options o;
  o.tls = [&host, this](std::unique_ptr<net::stream> s, std::string name) {
    return net::tls_connect(host, std::move(s), {.server_name = std::move(name), .trust_file = trust_file_});
  };
  const auto reply = host.run(http::fetch(
      host, {.method = *list_ ? "GET" : "POST", .url = *url, .headers = {{"X-API-Key", key}}, .body = {}}, std::move(o)));
  if (!reply) {
    say(log_level::error, url_ + ": " + reply.error().message());
    return 3;
  }
  const auto body = base::json::parse(reply->body);
  if (reply->status != 200 || !body) {
    say(log_level::error, body ? std::string(body->text("error")) : "status " + std::to_string(reply->status));
    return 1;
  }
  if (*code_) {
    fmt::print("{}\n", body->text("code"));
  } else if (const auto* all = body->as_array(); *list_ && all != nullptr) {
    for (const auto& e : *all)
      fmt::print("{}  {:16}  {}  {}\n", e.text("id"), e.text("status"), e.text("peer_id"), e.text("agent_name"));
  } else {
    fmt::print("{}\n", body->text("status"));
  }
  return 0;
}

int registryd_commands::verify(const registry::service_config& c) {
  net::asio_host host;
  const auto path = c.state_directory + "/registry.db";
  auto opened = store::open_sqlite(host, path, registry::service::schema(), {.read_only = true});
  const auto records = opened ? (*opened)->load(registry::audit_log::table) : base::fail(opened.error());
  if (!records) {
    say(log_level::error, path + ": " + records.error().message());
    return 2;
  }
  const auto found = registry::verify(*records);
  if (!found.whole()) {
    say(log_level::error, fmt::format("the audit log is broken at entry {}: {}", found.broken->number, found.broken->why));
    return 1;
  }
  fmt::print("{} entries, head {}\n", found.head.number, base::to_hex(found.head.hash));
  return 0;
}

}  // namespace strata::apps
