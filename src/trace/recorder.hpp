// A sink that writes a capture file: every datagram, the DTLS keys that open it, and the events between them as
// packet comments. Wireshark opens the one file and shows every layer in clear.
//
// A reader decrypts as it goes, so a session's keys must stand before its packets; but they exist only in the middle
// of the handshake. Packets therefore wait in memory for a moment: until keys arrive, or too many wait, or too long.
#pragma once

#include <cstdio>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "trace/sink.hpp"

namespace strata::trace {

class recorder final : public sink {
 public:
  // epoch: what the wall clock said at instant zero of the host's clock. The file is created with mode 0600.
  static base::result<std::unique_ptr<recorder>> create(const std::string& path, std::string_view application,
                                                        base::wall_time epoch);
  ~recorder() override;
  recorder(const recorder&) = delete;
  recorder& operator=(const recorder&) = delete;

  void on_event(base::instant at, const subject_id& connection, const event& e) override;
  void flush();
  [[nodiscard]] bool failed() const noexcept { return failed_; }  // the disk is full; the daemon goes on without

 private:
  struct waiting {
    base::instant at;
    base::bytes block;
  };
  explicit recorder(std::FILE* f, base::wall_time epoch) : file_(f), epoch_(epoch) {}
  void keep(base::instant at, base::bytes block);
  void write(base::byte_view block);
  void release();
  [[nodiscard]] std::uint64_t unix_nanoseconds(base::instant at) const;

  std::FILE* file_;
  base::wall_time epoch_;
  std::deque<waiting> waiting_;
  std::size_t waiting_bytes_ = 0;
  std::vector<std::string> comments_;
  bool failed_ = false;
};

// A comment is "+<milliseconds> <connection> | <text>"; the time is the event's own, not the packet's.
std::string comment_of(base::instant at, const subject_id& connection, const event& e);

}  // namespace strata::trace
