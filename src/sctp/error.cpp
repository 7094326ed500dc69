#include "sctp/error.hpp"

#include <string>

namespace strata::sctp {
namespace {

class category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "sctp"; }
  std::string message(int code) const override {
    switch (static_cast<errc>(code)) {
      case errc::connect_failed: return "the association could not be established";
      case errc::not_connected: return "the association is not established";
      case errc::closed: return "the association is closed";
      case errc::aborted: return "the peer aborted the association";
      case errc::lost: return "the peer no longer answers";
      case errc::no_such_stream: return "the association has no stream of that number";
      case errc::no_room: return "the send buffer is full";
      case errc::empty_message: return "a user message cannot be empty";
    }
    return "unknown error";
  }
};

}  // namespace

const std::error_category& sctp_category() noexcept {
  static const category instance;
  return instance;
}

}  // namespace strata::sctp
