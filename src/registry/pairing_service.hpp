// Pairing behind its routes (contract §5): codes, who shows them, an admin's decision, device tokens; and the audit log that
// tells of it. What is acknowledged has been committed. Who asks has been authenticated by the caller.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "async/async.hpp"
#include "http/message.hpp"
#include "net/host.hpp"
#include "registry/audit.hpp"
#include "registry/client_address.hpp"
#include "registry/devices.hpp"
#include "registry/guess_limits.hpp"
#include "registry/pairing.hpp"
#include "registry/revocations.hpp"
#include "store/store.hpp"

namespace strata::registry {

struct pairing_config {
  code_kind codes = code_kind::eight_characters;
  std::vector<turn::server::address_prefix> trusted_proxies;
};

class pairing_service {
 public:
  // `revoked` outlives this; `on_revoked` is called when a peer's access has ended, after the commit.
  pairing_service(net::host& h, store::engine& s, revocations& revoked, pairing_config c,
                  std::function<void(std::string_view peer)> on_revoked);

  static std::vector<std::string> tables();
  [[nodiscard]] std::string start();  // reads the store; what is wrong with it, or nothing
  async::task<> run();                // until cancelled: what time brings

  // Every path below /api/pairing/.
  async::task<http::response> handle(const http::request& r, std::optional<identity> who);

  [[nodiscard]] const identity* find(std::string_view device_token) const { return devices_.find(device_token); }
  [[nodiscard]] bool names_peer(std::string_view peer) const { return devices_.names_peer(peer); }

  // For the token route: is this address out of tries? Then the answer.
  [[nodiscard]] std::optional<http::response> out_of_tries(const http::request& r);
  // What came of one there. A refusal is a line of the log; who comes in is vouched for.
  void note_token(const http::request& r, const identity* who, std::string_view shown);

 private:
  async::task<http::response> generate(const http::request& r, identity who);
  async::task<http::response> redeem(const http::request& r);
  async::task<http::response> claim(const http::request& r, std::string id);
  async::task<http::response> decide(const http::request& r, std::string id, std::string what, identity who);
  http::response list(std::optional<pairing_status> s) const;
  async::task<base::result<void>> commit(store::changes c);
  void record(const http::request& r, std::string_view who, std::string_view event, std::string detail, store::changes& into);
  void record_alone(const http::request& r, std::string_view who, std::string_view event, std::string detail);
  [[nodiscard]] client_address address_of(const http::request& r) const;
  [[nodiscard]] std::string load();
  [[nodiscard]] crypto::random_source random() const;

  net::host& host_;
  store::engine& store_;
  revocations& revoked_;
  pairing_config config_;
  std::function<void(std::string_view)> on_revoked_;
  pairing pairing_;
  devices devices_;
  audit_log audit_;
  guess_limits code_tries_{code_guesses}, token_tries_{token_guesses};
  store::changes to_record_;  // events that go with the next commit of run()
  async::event recording_;
};

}  // namespace strata::registry
