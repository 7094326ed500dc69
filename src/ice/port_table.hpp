// Whose a datagram is that arrives on a port which several agents share: rules only. `now` is an argument.
//
//   STUN request    of the agent whose fragment comes first in USERNAME (RFC 8445 §7.2.2); the agent checks the rest
//   STUN response   of the agent that asked, by transaction id
//   anything else   of the agent that has claimed the address it comes from
//
// A claim on a remote address is made by sending there:
//   data            firmly. An agent sends data only where its own check was answered, so whoever is there has proved to be
//                   its peer; the last to send data wins, which is how a restarted session takes a path over.
//   an answer to a check (success response)   loosely. The peer has shown our password, but not that it is where it says:
//                   such a claim takes nothing from another agent, unless that one has been silent towards the address for
//                   longer than consent lasts (RFC 7675 §5.1); but it inherits the address when the other one goes.
//   checks          not at all: anybody's signaling can make us send them anywhere.
// Two conversations between the same two transport addresses cannot be told apart by their data: it goes to the last sender.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/bytes.hpp"
#include "base/endpoint.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "stun/transaction_id.hpp"

namespace strata::ice {

class port_table {
 public:
  using sharer = std::uint32_t;

  struct limits {
    std::size_t sharers = 1024;
    std::size_t transactions = 1024;  // of one sharer; then the oldest is forgotten
    std::size_t claims = 64;          // of one sharer; then the loose one that rests for longest, before firm ones
    base::duration transaction_lifetime = std::chrono::seconds(60);  // RFC 8489 §6.2.1 needs 39.5 s
    base::duration claim_rests = std::chrono::seconds(30);           // not sent to for so long: others may have it
  };

  port_table() : port_table(limits{}) {}
  explicit port_table(limits l) noexcept : limits_(l) {}

  // errc::invalid for no fragment, in_use for one that is taken, would_block when there are too many sharers.
  [[nodiscard]] base::result<sharer> add(std::string_view ufrag);
  void remove(sharer s);

  void on_send(sharer from, const base::endpoint& to, base::byte_view payload, base::instant now);

  struct verdict {
    std::optional<sharer> whose = {};
    std::string_view why_nobody = {};
  };
  [[nodiscard]] verdict whose(const base::endpoint& from, base::byte_view payload, base::instant now) const;

  [[nodiscard]] std::size_t sharers() const noexcept { return records_.size(); }
  [[nodiscard]] std::size_t transactions() const noexcept { return transactions_.size(); }
  [[nodiscard]] std::size_t claims() const noexcept { return claims_.size(); }

 private:
  struct asked {
    sharer by;
    base::instant at;
  };
  struct claim {
    sharer by;
    bool firm;
    base::instant used;
    sharer heir = 0;  // the last whose loose claim had to stand back; 0: nobody
  };
  struct record {
    std::string ufrag;
    std::deque<stun::transaction_id> transactions;  // in the order of their time
    std::vector<base::endpoint> claims;
  };

  void remember(sharer by, record& r, const stun::transaction_id& id, base::instant now);
  void stake(sharer by, record& r, const base::endpoint& to, bool firm, base::instant now);
  void give_up_one(record& r);

  limits limits_;
  sharer next_ = 1;
  std::unordered_map<sharer, record> records_;
  std::unordered_map<std::string, sharer> by_ufrag_;
  std::unordered_map<stun::transaction_id, asked, stun::transaction_id_hash> transactions_;
  std::unordered_map<base::endpoint, claim> claims_;
};

}  // namespace strata::ice
