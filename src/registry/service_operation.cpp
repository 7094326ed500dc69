// What an operator does to a service that runs: asks how it is, has it read its files again, ends it.
#include "http/message.hpp"
#include "registry/openapi.hpp"
#include "registry/service.hpp"
#include "registry/state_files.hpp"

namespace strata::registry {
namespace {

constexpr std::uint16_t close_revoked = 1008;  // RFC 6455 §7.4.1: policy violation

}  // namespace

// Is this a registry that should be sent clients now?
async::task<http::response> service::readiness() {
  base::json::array reasons;
  if (stop_.is_set()) reasons.emplace_back("draining");
  if (bound_.empty()) reasons.emplace_back("no listener");
  if (const auto trouble = co_await store_->probe(); !trouble.empty())
    reasons.emplace_back("the store cannot be written: " + trouble);
  const bool ready = reasons.empty();
  auto answer = http::response::json(
      ready ? 200 : 503, base::json::make({{"status", ready ? "ready" : "not ready"}, {"reasons", std::move(reasons)}}).dump());
  answer.headers.set("Cache-Control", "no-store");
  co_return answer;
}

http::response service::description() { return http::response::json(200, std::string(openapi_document)); }

// All or nothing: what was in use stays in use when something of the new is wrong.
std::string service::reload() {
  std::shared_ptr<const net::tls_server_identity> fresh;
  if (!config_.tls_certificate.empty()) {
    auto loaded = net::load_tls_identity(host_, config_.tls_certificate, config_.tls_key);
    if (!loaded) return config_.tls_certificate + ": " + loaded.error().message();
    fresh = std::move(*loaded);
  }
  if (auto trouble = reload_keys(); !trouble.empty()) return trouble;
  if (fresh) {
    // Connections that there are go on with the certificate that they began with.
    identity_ = fresh;
    if (turn_) turn_->use_identity(std::move(fresh));
  }
  return {};
}

std::string service::reload_keys() {
  if (config_.keys_file.empty()) return {};
  const auto text = read_file(config_.keys_file);
  if (!text) return text.error();
  keys fresh;
  if (const auto imported = fresh.import_file(*text, host_.wall_now()); !imported)
    return config_.keys_file + ": " + imported.error().message();
  keys_ = std::move(fresh);
  for (const auto c : relay_.unauthorised())
    if (const auto at = sockets_.find(c); at != sockets_.end())
      at->second->start_close(close_revoked, "the credentials were revoked");
  return {};
}

// Two steps: first whoever asks is told not to send clients here, then nobody new is let in and what has begun is finished.
async::task<> service::drain() {
  co_await stop_.wait();
  tracer_(host_.now(), trace::note{trace::layer::registry, "drain", "not ready any more"});
  co_await async::sleep_for(config_.drain_delay);
  going_.set();
  server_->drain();
}

}  // namespace strata::registry
