// What happened that matters for security, in a log that can only grow: every entry carries the hash of the one before, and a
// head record, kept in the same commit, says which is the last. So an entry that was changed, lost, moved or cut off shows.
// It shows damage and clumsy hands. Who can write the whole store can make a new chain; against him, the hash of the head is
// written down elsewhere from time to time (`registryd audit verify` prints it).
//
//   store::changes c = keys.revoke(...);
//   for (auto& more : log.append({now, "alice", "192.0.2.7", "key.revoked", "ak_b..."})) c.push_back(std::move(more));
//   if (!co_await store.commit(c)) log.give_back(c);
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "crypto/digest.hpp"
#include "store/change.hpp"

namespace strata::registry {

struct audit_event {
  base::wall_time time{};  // kept in milliseconds
  std::string who;         // a peer or key id; empty: nobody who has shown who he is
  std::string address;     // where the request came from
  std::string event;       // "key.revoked", "pairing.approved", "token.refused"
  std::string detail;      // never a secret: see shortened()

  friend bool operator==(const audit_event&, const audit_event&) = default;
};

struct audit_entry {
  std::uint64_t number = 0;  // from 1, without gaps
  audit_event what;
  crypto::sha256_digest previous{};  // of entry 1: zeros
  crypto::sha256_digest hash{};      // over all of the above in a form that can be read in one way only
};

struct audit_head {
  std::uint64_t number = 0;  // 0: no entries yet
  crypto::sha256_digest hash{};

  friend bool operator==(const audit_head&, const audit_head&) = default;
};

class audit_log {
 public:
  static constexpr std::string_view table = "audit";
  static constexpr std::size_t longest_text = 1024;  // octets of each text; the rest is cut off
  static constexpr std::size_t most_owed = 1000;     // entries

  audit_log() = default;
  // Goes on after the head of a log that verify() has found good.
  explicit audit_log(const audit_head& h) : head_(h) {}

  // The changes that put the event at the end. They go into the commit of what they tell of. What is no UTF-8 is replaced.
  store::changes append(audit_event e);
  // A commit with such changes has failed: its entries are in the chain already, so the next append hands them out again.
  // (Changes of other tables are passed over.) While too many are owed, new events are only counted; the first entry after
  // that says how many.
  void give_back(const store::changes& c);

  [[nodiscard]] const audit_head& head() const noexcept { return head_; }

 private:
  void chain(audit_event e, store::changes& out);

  audit_head head_;
  store::changes owed_;
  std::uint64_t uncounted_ = 0;  // events that found no room
};

struct audit_break {
  std::uint64_t number = 0;  // the first entry that is not as it was written; 0: the head
  std::string why;           // for a person: "entry 7 is missing"
};

struct audit_verdict {
  std::optional<audit_break> broken;  // nothing: the log is whole
  audit_head head;                    // the last entry that is good
  [[nodiscard]] bool whole() const noexcept { return !broken; }
};

// `records`: the whole table, as the store gives it, in the order of names.
[[nodiscard]] audit_verdict verify(const std::vector<store::record>& records);

// The entries of records that are good, for showing them; what cannot be read is nothing.
[[nodiscard]] std::optional<audit_entry> read_audit_entry(const store::record& r);

// Enough of a token, key or code to tell it from others in a log, and too little to use or guess it: a quarter of it, at most
// four characters, and "...".
[[nodiscard]] std::string shortened(std::string_view secret);

}  // namespace strata::registry
