#include "datachannel/error.hpp"

#include <string>

namespace strata::datachannel {
namespace {

class category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "datachannel"; }
  std::string message(int code) const override {
    switch (static_cast<errc>(code)) {
      case errc::closed: return "the channel is closed";
      case errc::too_large: return "the message is too large";
      case errc::invalid_options: return "the options contradict each other or are out of range";
      case errc::id_in_use: return "the stream id is in use";
      case errc::no_free_id: return "no stream id is free";
      case errc::no_such_stream: return "the association has no stream of that number";
      case errc::refused: return "the peer refused the channel";
      case errc::truncated: return "DCEP message cut short";
      case errc::trailing_octets: return "octets after the DCEP message";
      case errc::unknown_message_type: return "unknown DCEP message type";
      case errc::unknown_channel_type: return "unknown DCEP channel type";
      case errc::not_utf8: return "label or protocol is not UTF-8";
    }
    return "unknown error";
  }
};

}  // namespace

const std::error_category& datachannel_category() noexcept {
  static const category instance;
  return instance;
}

}  // namespace strata::datachannel
