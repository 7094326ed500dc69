// The keys that peers are known by. The first key that a peer shows is remembered (trust on first use); from then on it is the
// only one, until a person accepts another or forgets the peer. A rule: it hands out what is to be stored and stores nothing.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "base/time.hpp"
#include "crypto/signing_key.hpp"
#include "store/change.hpp"
#include "store/files.hpp"

namespace strata::mesh {

struct pin {
  crypto::public_key key;
  std::string alias;                          // the name it signed for itself; no other peer may be shown under it
  base::wall_time since;                      // when the key was taken
  bool compared = false;                      // a person has said that it is the right one
  std::optional<crypto::public_key> refused;  // another one that was shown since; not stored
};

class trust {
 public:
  static constexpr std::string_view table = "pins";
  static constexpr std::size_t most_pins = 65'536;

  // The table as it was stored. A record that cannot be read is an error: to pass over it would be to forget a key.
  [[nodiscard]] store::told<void> load(const std::vector<store::record>& records);

  [[nodiscard]] const pin* find(std::string_view peer) const;
  [[nodiscard]] std::optional<crypto::public_key> key_of(std::string_view peer) const;
  [[nodiscard]] std::optional<std::string> peer_named(std::string_view name) const;  // by its id or its alias
  [[nodiscard]] std::size_t size() const noexcept { return pins_.size(); }

  // Another peer than this one is known under the name, as its id or as its alias.
  [[nodiscard]] bool taken_by_another(std::string_view name, std::string_view peer) const;

  // A connection to the peer stands that was signed with this key. Pins what is new; says why the connection must not be used
  // when the key is not the known one (it was accepted or met meanwhile), or no more keys can be remembered.
  [[nodiscard]] store::told<store::changes> met(std::string_view peer, const crypto::public_key& key, std::string_view alias,
                                                base::wall_time now);
  // The peer has shown a key that is not the known one.
  void refused(std::string_view peer, const crypto::public_key& key);

  // A person's word. `fingerprint`: of the key that is meant, as spoken_fingerprint writes it, spaces left out or not; empty:
  // the one that was refused last, or else the known one, which is then marked as compared.
  [[nodiscard]] store::told<store::changes> accept(std::string_view peer, std::string_view fingerprint, base::wall_time now);
  [[nodiscard]] store::told<store::changes> forget(std::string_view peer);

  [[nodiscard]] base::json list() const;                           // an array, ordered by peer
  [[nodiscard]] base::json describe(std::string_view peer) const;  // null: not known

 private:
  static store::change written(const std::string& peer, const pin& p);

  std::map<std::string, pin, std::less<>> pins_;
  std::map<std::string, std::string, std::less<>> aliases_;  // alias to peer
};

}  // namespace strata::mesh
