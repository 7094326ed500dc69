// usrsctp, of which a process has one: its start, its clock, its way out, and who is who.
//
// The library gets no thread of ours and no clock: its timers move when the loop says that time has passed. All
// associations of a process therefore live on one loop at a time. It still measures round trips and message lifetimes
// with gettimeofday(); a program that replaces that function makes it follow another clock.
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "async/loop.hpp"
#include "base/bytes.hpp"
#include "base/time.hpp"

namespace strata::sctp {

class usrsctp_library {
 public:
  // An association, as the library sees it. The library knows it by a number, never by a pointer: the number travels to
  // the peer inside the state cookie (CVE-2020-6514).
  class member {
   public:
    virtual void transmit_packet(base::byte_view packet) = 0;  // inside a call into the library
    virtual void turn() = 0;                                   // from the loop: look what has changed
    [[nodiscard]] virtual bool busy() const = 0;               // unacknowledged data, or a state that waits for an answer

   protected:
    ~member() = default;
  };
  using id = std::uintptr_t;

  static usrsctp_library& instance();
  usrsctp_library(const usrsctp_library&) = delete;
  usrsctp_library& operator=(const usrsctp_library&) = delete;

  // Throws std::logic_error when another loop still has associations.
  [[nodiscard]] id enter(async::loop& l, member& m);
  void leave(id who);
  [[nodiscard]] member* find(id who) const;

  // Before a call into the library that starts timers: brings its clock up to date. urgent: something is going to need
  // precise timers soon; a heartbeat does not.
  void touch(bool urgent = true);
  void want_turn(id who);
  static void packet_arrives(id who, base::byte_view packet);

  static void* as_address(id who) noexcept { return reinterpret_cast<void*>(who); }
  static id from_address(const void* address) noexcept { return reinterpret_cast<id>(address); }

  static constexpr base::duration quick_tick = std::chrono::milliseconds(10);
  static constexpr base::duration slow_tick = std::chrono::milliseconds(200);
  static constexpr base::duration stay_quick = std::chrono::milliseconds(300);

 private:
  struct clock final : async::timer {
    explicit clock(usrsctp_library& l) : library(l) {}
    void expired() override { library.tick(); }
    usrsctp_library& library;
  };
  struct turns final : async::ready_item {
    explicit turns(usrsctp_library& l) : library(l) {}
    void run() override {
      queued = false;
      library.take_turns();
    }
    usrsctp_library& library;
    bool queued = false;
  };
  struct entry {
    member* who;
    bool wants_turn = false;
  };

  usrsctp_library();
  ~usrsctp_library();
  void advance();
  void tick();
  void arm();
  void take_turns();
  [[nodiscard]] bool anybody_busy() const;

  async::loop* loop_ = nullptr;  // null while there are no associations
  std::unordered_map<id, entry> members_;
  std::vector<id> waiting_;  // for their turn, in the order they asked
  id next_ = 1;
  base::instant advanced_to_{};
  base::instant quick_until_{};
  bool quick_ = false;
  bool ticking_ = false;
  clock clock_{*this};
  std::unique_ptr<turns> turns_;
  std::vector<std::unique_ptr<turns>> retired_;  // still queued on a loop that lost its last association
};

}  // namespace strata::sctp
