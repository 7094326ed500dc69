// One connection of framed_streams; for its own two files only.
#pragma once

#include "net/framed_streams.hpp"

namespace strata::net {

struct framed_streams::connection {
  base::endpoint peer;
  std::unique_ptr<stream> link{};  // none while it is being made
  base::instant since{};
  bool accepted = false;                 // by us
  bool proved = false;                   // it has said something sensible, or we made it
  base::bytes outbox{};                  // frames
  std::size_t writing = 0, written = 0;  // of a batch that left the outbox
  std::size_t frames = 0, frames_bytes = 0;
  async::event more{};     // set: there is something to write
  async::event adopted{};  // set: the peer's connection arrived while we were making ours
  async::event end{};      // set: be gone

  [[nodiscard]] std::size_t queued() const { return outbox.size() + writing; }
};

}  // namespace strata::net
