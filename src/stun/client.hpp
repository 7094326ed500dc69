// A STUN client: requests with credentials, retries and redirection, and the Binding request everybody wants
// (RFC 8489 §6, §9, §10). It owns no socket: what it sends goes through `transmit`, and what arrives is fed to it. For a
// client with a socket or connection of its own see query.hpp.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "async/event.hpp"
#include "async/task.hpp"
#include "net/host.hpp"
#include "stun/rto_cache.hpp"
#include "stun/session.hpp"
#include "stun/transaction_table.hpp"
#include "trace/sink.hpp"

namespace strata::stun {

struct client_config {
  bool reliable = false;                                // the transport is TCP or TLS
  base::duration rto = std::chrono::milliseconds(500);  // RFC 8489 §6.2.1: not less, ICE apart
  unsigned rc = 7, rm = 16;
  base::duration ti = std::chrono::milliseconds(39500);  // §6.2.2
  std::string software = "strata";                       // §6.1, §16.1.2: empty sends none
  bool fingerprint = false;                              // §7: sent with every request, demanded of every response
  bool follow_redirects = true;                          // §10
  unsigned server_error_retries = 4;                     // §6.3.4
  std::size_t outstanding_per_server = 10;               // §6.2
};

struct binding_result {
  base::endpoint mapped;  // this end, as the server sees it
  base::endpoint server;  // who answered, after redirection
  base::duration round_trip{};
  unsigned transmissions = 0;
  std::optional<base::endpoint> other_address;  // RFC 5780 §7.4: the server can test NAT behaviour
  std::string software;                         // empty: it does not say
};

class client {
 public:
  using attributes_function = std::function<void(message_writer&)>;

  client(net::host& h, transmit_function transmit, client_config config = {}, std::unique_ptr<session> credentials = {},
         trace::tracer tracer = {});

  [[nodiscard]] async::task<base::result<binding_result>> binding(base::endpoint server);

  // Any method. `add` puts the usage's attributes into each attempt; `known` are the attributes the usage understands in
  // answers besides those of RFC 8489. A success response, or an error: response_error(code) for what the server refused.
  [[nodiscard]] async::task<base::result<response>> request(base::endpoint server, stun::method m, attributes_function add = {},
                                                            std::vector<attribute_type> known = {});

  // True: it was a response to one of this client's requests.
  bool on_datagram(base::byte_view datagram, const base::endpoint& from);
  bool on_response(const message_view& m, const base::endpoint& from) { return table_.on_response(m, from); }
  // RFC 8489 §6.2.1: a hard error of the network ends the transactions with that server; another one may pass.
  void on_unreachable(const base::endpoint& server, base::errc why) {
    if (why == base::errc::refused) table_.fail(server, why);
  }
  void on_connection_lost(base::error why) { table_.fail_all(why); }

  // Where the last answer that redirected us pointed to; over TCP and TLS the caller has to go there himself (§10).
  [[nodiscard]] const std::optional<base::endpoint>& alternate() const noexcept { return alternate_; }

  [[nodiscard]] const transaction_table::counters& counted() const noexcept { return table_.counted(); }

 private:
  class turn;  // one of the outstanding requests to a server
  struct lane {
    std::size_t users = 0, running = 0;
    async::event freed;
  };

  [[nodiscard]] base::result<base::bytes> build(stun::method m, const attributes_function& add);
  [[nodiscard]] judgement judge(stun::method m, const std::vector<attribute_type>& known, const message_view& answer) const;
  [[nodiscard]] base::result<base::endpoint> redirect(const message_view& answer, const base::endpoint& from);

  net::host& host_;
  client_config config_;
  std::unique_ptr<session> session_;
  trace::tracer tracer_;
  rto_cache rtos_;
  transaction_table table_;
  std::map<base::endpoint, lane> lanes_;
  std::optional<base::endpoint> alternate_;
  std::map<base::endpoint, base::instant> tried_;  // RFC 8489 §10: servers left by redirection within the last five minutes
};

}  // namespace strata::stun
