// The two channels that carry frames beside the plain one: the caller makes them, the peer finds them by their labels.
#include "mesh/link.hpp"

namespace strata::mesh {
namespace {

constexpr std::string_view small_label = "strata", bulk_label = "strata-bulk";

}  // namespace

async::task<> link::carry_frames(rtc::peer_connection& pc) {
  if (!they_speak_frames_ || !environment_.carry_frames) co_return co_await pc.closed();
  channel_pointer small, bulk;
  if (caller_) {
    small = pc.create_channel({.label = std::string(small_label), .priority = datachannel::priority::high});
    bulk = pc.create_channel({.label = std::string(bulk_label), .priority = datachannel::priority::below_normal});
    if (!co_await small->opened() || !co_await bulk->opened()) co_return;
  } else {
    while (!small || !bulk) {
      auto c = co_await pc.accept_channel();
      if (!c) co_return;
      if (c->label() == small_label && !small) small = std::move(c);
      else if (c->label() == bulk_label && !bulk) bulk = std::move(c);
      else c->close();  // only the channels that we know what to do with
    }
  }
  co_await environment_.carry_frames(peer_, std::move(small), std::move(bulk));
}

}  // namespace strata::mesh
