#include "sdp/error.hpp"

#include <string>

namespace strata::sdp {
namespace {

class category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "sdp"; }
  std::string message(int value) const override {
    switch (static_cast<errc>(value)) {
      case errc::too_large: return "the description is too large";
      case errc::not_utf8: return "the description is not UTF-8";
      case errc::bad_line: return "a line is malformed";
      case errc::unknown_line: return "a line has an unknown type";
      case errc::bad_order: return "a line is out of order or one too many";
      case errc::missing_line: return "a line is missing";
      case errc::bad_version: return "the version is not 0";
      case errc::bad_origin: return "the origin is malformed";
      case errc::bad_session_name: return "the session name is malformed";
      case errc::bad_connection: return "a connection line is malformed";
      case errc::bad_bandwidth: return "a bandwidth line is malformed";
      case errc::bad_timing: return "a timing line is malformed";
      case errc::bad_text: return "an information line is malformed";
      case errc::bad_media: return "a media line is malformed";
      case errc::bad_attribute: return "an attribute has a value that it cannot have";
      case errc::duplicate_attribute: return "an attribute stands where it stood before";
      case errc::missing_attribute: return "an attribute is missing";
      case errc::no_data_section: return "there is no data channel section";
      case errc::bad_bundle: return "a BUNDLE group is wrong";
      case errc::bad_setup: return "the setup roles do not fit";
      case errc::answer_mismatch: return "the answer does not fit the offer";
      case errc::bad_change: return "this must not change without a restart";
      case errc::not_writable: return "this must not be written";
    }
    return "unknown error";
  }
};

}  // namespace

const std::error_category& sdp_category() noexcept {
  static const category instance;
  return instance;
}

}  // namespace strata::sdp
