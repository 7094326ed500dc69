#include "signaling/enrolment.hpp"

#include <array>

#include "base/hex.hpp"
#include "base/json.hpp"
#include "crypto/digest.hpp"
#include "http/client.hpp"
#include "net/tls_stream.hpp"

namespace strata::signaling {
namespace {

async::task<base::result<http::response>> post(net::host& h, registry_address r, std::string path, base::json body) {
  auto url = http::url::parse(r.token_url);
  if (!url) co_return base::fail(url.error());
  url->path = std::move(path);
  url->query.clear();
  http::fetch_options o;
  o.tls = [&h, trust = r.trust_file](std::unique_ptr<net::stream> s, std::string name) {
    return net::tls_connect(h, std::move(s), {.server_name = std::move(name), .trust_file = trust});
  };
  co_return co_await http::fetch(
      h, {.method = "POST", .url = *url, .headers = {{"Content-Type", "application/json"}}, .body = body.dump()}, std::move(o));
}

class category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "pairing"; }
  std::string message(int value) const override {
    switch (static_cast<enrolment_errc>(value)) {
      case enrolment_errc::refused: return "the registry does not take the code";
      case enrolment_errc::rejected: return "an admin has not let this machine in, or its access was ended";
      case enrolment_errc::unexpected_reply: return "the registry's reply is not understood";
    }
    return "unknown error";
  }
};

}  // namespace

std::error_code make_error_code(enrolment_errc e) noexcept {
  static const category instance;
  return {static_cast<int>(e), instance};
}

async::task<base::result<enrolment>> show_code(net::host& h, registry_address r, std::string code, std::string name,
                                               std::string& why) {
  std::array<std::uint8_t, 32> random;
  h.random(random);
  enrolment e{.id = {}, .secret = base::to_hex(random), .peer_id = {}};
  const auto reply = co_await post(
      h, std::move(r), "/api/pairing/pair",
      base::json::make(
          {{"code", code}, {"agent_name", name}, {"claim_hash", base::to_hex(crypto::sha256(base::as_bytes(e.secret)))}}));
  if (!reply) co_return base::fail(reply.error());
  const auto v = base::json::parse(reply->body);
  if (reply->status != 200) {
    why = v ? v->text("error") : std::string_view();
    co_return base::fail(enrolment_errc::refused);
  }
  e.id = v ? v->text("id") : std::string_view();
  e.peer_id = v ? v->text("peer_id") : std::string_view();
  if (e.id.empty() || e.peer_id.empty()) co_return base::fail(enrolment_errc::unexpected_reply);
  co_return e;
}

async::task<base::result<std::optional<std::string>>> ask_for_token(net::host& h, registry_address r, enrolment e) {
  using answer = base::result<std::optional<std::string>>;
  const auto reply =
      co_await post(h, std::move(r), "/api/pairing/" + e.id + "/status", base::json::make({{"secret", e.secret}}));
  if (!reply) co_return base::fail(reply.error());
  if (reply->status == 404) co_return base::fail(enrolment_errc::rejected);
  const auto v = base::json::parse(reply->body);
  if (reply->status != 200 || !v) co_return base::fail(enrolment_errc::unexpected_reply);
  if (const auto token = v->text("device_token"); !token.empty()) co_return answer(std::string(token));
  if (v->text("status") != "pending_approval") co_return base::fail(enrolment_errc::rejected);
  co_return answer(std::nullopt);
}

}  // namespace strata::signaling
