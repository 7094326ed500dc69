// What a run is, as a value: who is there, what the links are like, what goes wrong and when. Rules only: a plan is a
// function of its seed, and a failing plan can be cut down and run again.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "sim/impairments.hpp"
#include "sim/place.hpp"

namespace strata::simulation {

enum class fault_kind : std::uint8_t {
  partition,         // peers a and b do not hear each other
  cut_off,           // peer a hears nobody, and is not told
  host_down,         // peer a's machine is off the network; its TCP connections are reset
  interface_down,    // peer a's interface goes away and comes back
  address_change,    // peer a gets another address for good
  sidecar_killed,    // peer a's daemon dies without a word and is started again
  registry_killed,   // the registry dies and is started again with nothing remembered
  registry_cut_off,  // nobody hears the registry
  loss_burst,        // all links lose: amount is the probability
  latency,           // all links are slower: amount in milliseconds
  nat_reboot,        // the routers of peer a forget all mappings
  outside_address,   // the router of peer a gets another address for good
  udp_blocked,       // the router of peer a lets no UDP pass
  relay_killed,      // the TURN server dies with all allocations and is started again
  relay_cut_off,     // nobody hears the TURN server
  program_stalls,    // the program beside a's daemon reads nothing
  asleep,            // peer a's machine sleeps, for up to an hour
};
inline constexpr std::size_t fault_kinds = 17;
std::string_view to_string(fault_kind k) noexcept;

struct fault {
  base::duration at{};  // after the start
  fault_kind what{};
  std::size_t a = 0, b = 0;  // peers
  base::duration lasts{};    // address_change: until the machine has an address again
  double amount = 0;
};

// A rule broken on purpose, to show that its oracle looks.
enum class sabotage : std::uint8_t {
  none,
  lose,
  repeat,
  swap,
  tear,
  leak,
  amplify,
  unproved,
  never_heal,
  sleep_forever,
  crash
};
inline constexpr std::size_t sabotages = 11;
std::string_view to_string(sabotage s) noexcept;
std::optional<sabotage> sabotage_from(std::string_view name) noexcept;

struct plan {
  std::string name;
  std::uint64_t seed = 1;
  std::size_t peers = 2;
  std::vector<sim::place_kind> places;  // of the peers, in their order; those that are missing are public
  bool second_interface = false;        // of peer 0
  bool enemies = true;                  // somebody who replays and somebody who makes up packets
  sim::impairments links;
  base::duration talk = std::chrono::seconds(10);
  std::vector<fault> faults;
  sabotage broken = sabotage::none;

  [[nodiscard]] sim::place_kind place_of(std::size_t peer) const;
  [[nodiscard]] double lost() const;  // of all packets, on one link, without faults
  // For how long there has been no fault, at that time after the start.
  [[nodiscard]] base::duration calm_for(base::duration at) const;
  [[nodiscard]] base::duration healed_at() const;  // the last fault is over
};
std::string describe(const plan& p);  // several lines
std::string describe(const fault& f);

// By name: two-peers, three-peers, registry-restart, partition, ...; nothing for a name that there is not.
std::optional<plan> scenario(std::string_view name, std::uint64_t seed);
std::vector<std::string_view> scenario_names();
// Everything drawn from the seed.
plan random_plan(std::uint64_t seed);

std::string_view peer_name(std::size_t n) noexcept;
inline constexpr std::size_t most_peers = 6;

}  // namespace strata::simulation
