#include "meshd_pairing.hpp"

#include <unistd.h>

#include "async/async.hpp"
#include "base/json.hpp"
#include "log.hpp"

namespace strata::apps {
namespace {

constexpr auto ask_every = std::chrono::seconds(2);

async::task<store::told<std::string>> enrol(net::asio_host& host, std::string file, std::string code, std::string name,
                                            signaling::registry_address registry) {
  signaling::enrolment e;
  if (!code.empty()) {
    std::string why;
    auto shown = co_await signaling::show_code(host, registry, code, name, why);
    if (!shown) co_return tl::unexpected(shown.error().message() + (why.empty() ? "" : ": " + why));
    e = std::move(*shown);
    const auto kept = base::json::make({{"id", e.id}, {"secret", e.secret}, {"peer_id", e.peer_id}}).dump();
    if (auto failed = store::write_file(file, kept, 0600); !failed.empty()) co_return tl::unexpected(std::move(failed));
  } else {
    const auto text = store::read_file(file);
    const auto v = text ? base::json::parse(*text) : base::result<base::json>(base::json());
    e = {.id = std::string(v ? v->text("id") : ""),
         .secret = std::string(v ? v->text("secret") : ""),
         .peer_id = std::string(v ? v->text("peer_id") : "")};
    if (e.id.empty() || e.secret.empty()) co_return tl::unexpected(file + ": not what --pair wrote there");
  }
  say(log_level::info, "waiting for an admin to let in " + e.peer_id + " (pairing " + e.id + ")");
  for (;;) {
    auto token = co_await signaling::ask_for_token(host, registry, e);
    if (token && *token) co_return std::move(**token);
    if (!token && token.error() == make_error_code(signaling::enrolment_errc::rejected)) {
      ::unlink(file.c_str());
      co_return tl::unexpected(token.error().message());
    }
    co_await async::sleep_for(ask_every);
  }
}

}  // namespace

store::told<std::string> device_token(net::asio_host& host, const std::string& state_directory, const std::string& code,
                                      const std::string& name, const signaling::registry_address& registry) {
  const auto token_file = state_directory + "/device.token", pairing_file = state_directory + "/pairing.json";
  if (::access(token_file.c_str(), F_OK) == 0) return store::read_file(token_file);
  if (code.empty() && ::access(pairing_file.c_str(), F_OK) != 0) return std::string();
  if (auto failed = store::make_private_directory(state_directory); !failed.empty()) return tl::unexpected(std::move(failed));
  auto token = host.run(enrol(host, pairing_file, code, name, registry));
  if (!token) return token;
  if (auto failed = store::write_file(token_file, *token, 0600); !failed.empty()) return tl::unexpected(std::move(failed));
  ::unlink(pairing_file.c_str());
  say(log_level::info, "let in; the token is kept in " + token_file);
  return token;
}

}  // namespace strata::apps
