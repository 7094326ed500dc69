// Requests in flight over transports that somebody else owns: ICE, TURN and a plain client share a socket through one of these.
//
//   transaction_table table(host, [&](const base::endpoint& to, base::byte_view d) { return socket.send(to, d); });
//   auto r = co_await table.transact(server, std::move(request));     // in any number of fibers
//   table.on_response(message, from);                                 // whoever receives feeds it
//
// A transaction that is cancelled leaves the table at once. Nothing is called back: answers wake the waiting fiber.
#pragma once

#include <cstdint>
#include <functional>
#include <unordered_map>

#include "async/event.hpp"
#include "async/task.hpp"
#include "base/bytes.hpp"
#include "base/endpoint.hpp"
#include "base/result.hpp"
#include "net/host.hpp"
#include "stun/judgement.hpp"
#include "stun/message_view.hpp"
#include "stun/retransmission.hpp"

namespace strata::stun {

// False: it could not be queued. Over UDP that is no failure of the transaction, which will try again.
using transmit_function = std::function<bool(const base::endpoint& to, base::byte_view message)>;
// Looks at a response with the right id. Without one every response is accepted.
using judge_function = std::function<judgement(const message_view&, const base::endpoint& from)>;

struct response {
  base::bytes data;
  base::endpoint from;
  base::duration round_trip{};  // since the last transmission
  unsigned transmissions = 0;   // 1: round_trip is unambiguous

  [[nodiscard]] message_view message() const { return *message_view::parse(data); }  // borrows data
};

struct transaction_options {
  retransmission schedule{};
  // The answer has to come from where the request went. (RFC 8445 §7.2.5.2.1 has its own rule: ICE looks at response::from.)
  bool match_source = true;
  // RFC 8489 §6.1: only a usage that probes the path MTU may send more than fits every path.
  bool probes_mtu = false;
};

// RFC 8489 §6.1: what fits into a datagram when the path MTU is unknown: 576 or 1280 bytes less the IP and UDP headers.
[[nodiscard]] constexpr std::size_t largest_datagram(base::ip_family f) noexcept {
  return f == base::ip_family::v4 ? 576 - 20 - 8 : 1280 - 40 - 8;
}

class transaction_table {
 public:
  struct counters {
    std::uint64_t started = 0, transmissions = 0, answered = 0, timed_out = 0, failed = 0;
    std::uint64_t unmatched = 0;         // responses with an id or source that nobody waits for
    std::uint64_t refused_by_judge = 0;  // forged, damaged, or of the wrong algorithm
  };

  transaction_table(net::host& h, transmit_function transmit, std::size_t capacity = 4096);
  ~transaction_table();
  transaction_table(const transaction_table&) = delete;
  transaction_table& operator=(const transaction_table&) = delete;

  // A new id from the host's random source (RFC 8489 §5).
  [[nodiscard]] transaction_id new_id();

  // Sends `request` on its schedule until an answer with its id is accepted. Success and error responses are both answers.
  // Errors: errc::too_long, errc::busy; what judge() failed it with; base::errc::timed_out, or why the last answer that came
  // was not taken when all there were had to be ignored (RFC 8489 §9.1.4); the error of fail().
  [[nodiscard]] async::task<base::result<response>> transact(base::endpoint to, base::bytes request,
                                                             transaction_options options = {}, judge_function judge = {});

  // True: it answered a transaction of this table. False: nobody waits for it (RFC 8489 §6.3.3: dropped), or it was ignored.
  bool on_response(const message_view& m, const base::endpoint& from);

  // RFC 8489 §6.2.1: a hard ICMP error ends the transactions with that address; §6.2.2: so does a broken connection, for all.
  void fail(const base::endpoint& to, base::error why);
  void fail_all(base::error why);

  [[nodiscard]] std::size_t pending() const noexcept { return pending_.size(); }
  [[nodiscard]] const counters& counted() const noexcept { return counters_; }

 private:
  struct entry;
  class wake;

  net::host& host_;
  transmit_function transmit_;
  std::size_t capacity_;
  std::unordered_map<transaction_id, entry*, transaction_id_hash> pending_;
  counters counters_;
};

}  // namespace strata::stun
