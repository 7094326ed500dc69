#include "sctp/usrsctp_library.hpp"

#include <usrsctp.h>

#include <algorithm>
#include <stdexcept>

#include "sctp/packet.hpp"

namespace strata::sctp {
namespace {

// The library's only way out. The buffer is its own copy of the packet, so the checksum can be written into it.
int packet_leaves(void* address, void* buffer, std::size_t length, std::uint8_t, std::uint8_t) {
  auto& library = usrsctp_library::instance();
  auto* member = library.find(usrsctp_library::from_address(address));
  if (member == nullptr || length < common_header_size) return 0;  // its association is gone, and so is the peer's interest
  const base::byte_span packet(static_cast<std::uint8_t*>(buffer), length);
  write_checksum(packet);
  member->transmit_packet(packet);
  return 0;
}

constexpr std::uint32_t milliseconds(base::duration d) {
  return static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::milliseconds>(d).count());
}

}  // namespace

usrsctp_library& usrsctp_library::instance() {
  static usrsctp_library one;
  return one;
}

usrsctp_library::usrsctp_library() {
  usrsctp_init_nothreads(0, packet_leaves, nullptr);
  // exception: 9653-5.2-a usrsctp 0.9.5 knows no zero checksum; every packet carries a real one
  // exception: 9653-5.2-b as above
  // exception: 9653-5.3-a as above: a packet with any other checksum than the right one is dropped
  usrsctp_enable_crc32c_offload();  // base::crc32c uses the processor's instruction
  // One path inside DTLS: no addresses to add, nothing to authenticate, nobody to mark packets.
  usrsctp_sysctl_set_sctp_asconf_enable(0);
  usrsctp_sysctl_set_sctp_auto_asconf(0);
  usrsctp_sysctl_set_sctp_auth_enable(0);
  usrsctp_sysctl_set_sctp_ecn_enable(0);
  usrsctp_sysctl_set_sctp_nrsack_enable(0);
  usrsctp_sysctl_set_sctp_pktdrop_enable(0);
  usrsctp_sysctl_set_sctp_pr_enable(1);
  usrsctp_sysctl_set_sctp_reconfig_enable(1);
  // What does not belong to an association gets no answer: it can only be a leftover, or a forgery inside the tunnel.
  usrsctp_sysctl_set_sctp_blackhole(2);
  // 512 would stop a sender at 590 KB in flight. It also bounds what many tiny messages cost beside their octets.
  usrsctp_sysctl_set_sctp_max_chunks_on_queue(8192);
  // No limit: a probe of a closed window is the same chunk sent again and again, for as long as the peer does not read.
  usrsctp_sysctl_set_sctp_max_retran_chunk(0);
  usrsctp_sysctl_set_sctp_initial_cwnd(10);  // RFC 6928, as dcSCTP does
  usrsctp_sysctl_set_sctp_max_burst_default(10);
  // A delayed SACK may wait 200 ms (RFC 9260 §6.2); 20 ms answers a single packet soon enough for round-trip estimates.
  usrsctp_sysctl_set_sctp_delayed_sack_time_default(20);
}

usrsctp_library::~usrsctp_library() {
  // What closed sockets left behind goes away in the library's own time; two minutes cover all of its timers.
  for (int i = 0; i < 120 && usrsctp_finish() != 0; ++i) usrsctp_handle_timers(1000);
}

usrsctp_library::id usrsctp_library::enter(async::loop& l, member& m) {
  if (loop_ != nullptr && loop_ != &l) throw std::logic_error("usrsctp: all associations of a process must live on one loop");
  if (loop_ == nullptr) {
    loop_ = &l;
    turns_ = std::make_unique<turns>(*this);
    advanced_to_ = l.now();
    quick_ = false;
  }
  const id who = next_++;
  members_.emplace(who, entry{&m});
  usrsctp_register_address(as_address(who));
  touch();
  return who;
}

void usrsctp_library::leave(id who) {
  usrsctp_deregister_address(as_address(who));
  members_.erase(who);
  std::erase(waiting_, who);
  if (!members_.empty()) return;
  loop_->disarm(clock_);
  if (turns_->queued) retired_.push_back(std::move(turns_));
  turns_.reset();
  loop_ = nullptr;
}

usrsctp_library::member* usrsctp_library::find(id who) const {
  const auto found = members_.find(who);
  return found == members_.end() ? nullptr : found->second.who;
}

void usrsctp_library::touch(bool urgent) {
  if (!quick_ && !ticking_) advance();
  if (!urgent) return;
  quick_until_ = loop_->now() + stay_quick;
  if (quick_) return;
  quick_ = true;
  arm();
}

void usrsctp_library::want_turn(id who) {
  const auto found = members_.find(who);
  if (found == members_.end() || found->second.wants_turn) return;
  found->second.wants_turn = true;
  waiting_.push_back(who);
  if (turns_->queued) return;
  turns_->queued = true;
  loop_->post(*turns_);
}

void usrsctp_library::packet_arrives(id who, base::byte_view packet) {
  usrsctp_conninput(as_address(who), packet.data(), packet.size(), 0);
}

void usrsctp_library::take_turns() {
  const auto now_waiting = std::move(waiting_);
  waiting_.clear();
  for (const id who : now_waiting) {
    const auto found = members_.find(who);  // one turn may end another association
    if (found == members_.end()) continue;
    found->second.wants_turn = false;
    found->second.who->turn();
  }
}

// Whole milliseconds only; the rest is left for the next time.
void usrsctp_library::advance() {
  const auto elapsed = milliseconds(loop_->now() - advanced_to_);
  if (elapsed == 0) return;
  advanced_to_ += std::chrono::milliseconds(elapsed);
  ticking_ = true;
  usrsctp_handle_timers(elapsed);
  ticking_ = false;
}

void usrsctp_library::tick() {
  advance();
  if (quick_ && loop_->now() >= quick_until_) quick_ = anybody_busy();
  if (quick_)
    for (const auto& [who, e] : members_)
      if (e.who->busy()) want_turn(who);
  arm();
}

void usrsctp_library::arm() { loop_->arm(clock_, loop_->now() + (quick_ ? quick_tick : slow_tick)); }

bool usrsctp_library::anybody_busy() const {
  return std::any_of(members_.begin(), members_.end(), [](const auto& m) { return m.second.who->busy(); });
}

}  // namespace strata::sctp
