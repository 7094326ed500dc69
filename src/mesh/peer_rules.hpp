// Who may send what to the programs here. From a JSON file:
//   {"everyone": RULE, "peers": {"NAME": RULE, …}, "most_hops": 8}
//   RULE = {"types": [PATTERN…], "not_types": […], "skills": […], "not_skills": […], "verified_only": false}
// NAME is a peer's id or alias, and its rule stands instead of that for everyone. A list that is absent allows everything; what
// a "not_" list names is refused whatever the other says; a PATTERN may end in "*". Without a file everything is allowed to who
// is approved. Names that are not known are errors: a rule with a slip in it would protect nothing.
//
// Answers to what was asked from here are no one's business but the asker's: no rule holds them up.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mesh/message.hpp"
#include "store/files.hpp"

namespace strata::mesh {

struct sender {
  std::string_view peer, alias;  // alias empty: none
  bool verified = false;         // by its key
};

class peer_rules {
 public:
  static store::told<peer_rules> parse(std::string_view text);

  // Why the message must not reach a program; nothing: it may.
  [[nodiscard]] std::optional<std::string> refuses(const sender& from, const message& m) const;

  // A request that a program makes on behalf of another request says so by "hops" in its payload: the number that it came with,
  // 0 or absent for one of its own. Counts this hop; errors when there were enough. A payload without the member stays without:
  // upstream programs make arguments of whatever they find there.
  [[nodiscard]] store::told<void> count_hop(message& m) const;

 private:
  using patterns = std::optional<std::vector<std::string>>;
  struct rule {
    patterns types, skills;
    std::vector<std::string> not_types, not_skills;
    bool verified_only = false;
  };
  static store::told<rule> parse_rule(const base::json& v, std::string_view whose);
  [[nodiscard]] const rule& rule_for(const sender& from) const;
  [[nodiscard]] bool too_far(const message& m) const;

  rule everyone_;
  std::map<std::string, rule, std::less<>> peers_;
  std::int64_t most_hops_ = 8;
};

// The name that a program sees in source_agent: what the message claims when that is a name of the peer, else the peer's own.
// An agent "ada" is known as the peer "ada-sidecar".
std::string verified_source(std::string_view claimed, std::string_view peer, std::string_view alias);

}  // namespace strata::mesh
