#include "turn/error.hpp"

#include "stun/error.hpp"

namespace strata::turn {
namespace {

class category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "turn"; }
  std::string message(int value) const override {
    switch (static_cast<errc>(value)) {
      case errc::not_turn: return "not the address of a TURN server";
      case errc::unusable_answer: return "the server's answer has no usable relayed address";
      case errc::no_server_address: return "the server's name has no address that can be reached from here";
      case errc::lost: return "the server has given up the allocation";
      case errc::connection_lost: return "the connection to the server is lost";
      case errc::released: return "released";
    }
    return "unknown error";
  }
};

// RFC 8656 §7.4, §18.
std::string_view advice(int code) {
  switch (code) {
    case 300: return "the server wants another one to be used, and named none that can be";
    case 400: return "the server did not understand the request";
    case 401: return "the server refuses the credentials: wrong, or their time is over";
    case 403: return "the server forbids relaying to this address, or relaying at all to this user";
    case 420: return "the server does not know an option that was asked for";
    case 437: return "the server knows no such allocation, or has an older one for the same socket";
    case 438: return "the server keeps calling its own nonce stale";
    case 440: return "the server does not relay for this address family";
    case 441: return "the allocation belongs to other credentials";
    case 442: return "the server does not relay UDP";
    case 443: return "the peer's address family is not that of the relayed address";
    case 446: return "a connection to this peer exists";
    case 447: return "the server could not connect to the peer";
    case 486:
      return "this user has as many allocations as the server allows; older ones end by themselves within their lifetime";
    case 500: return "the server is in trouble";
    case 508: return "the server has no ports left";
    default: return {};
  }
}

}  // namespace

std::error_code make_error_code(errc e) noexcept {
  static const category instance;
  return {static_cast<int>(e), instance};
}

std::string explain(const base::error& e) {
  if (e == stun::make_error_code(stun::errc::bad_credentials)) return "401: " + std::string(advice(401));
  if (e == stun::make_error_code(stun::errc::unauthenticated))
    return "the answer was not signed, and could be anybody's (a redirection has to be signed, too)";
  if (&e.code.category() != &stun::response_category()) return e.message();
  const int code = e.code.value();
  const auto text = advice(code);
  return std::to_string(code) + ": " + (text.empty() ? e.message() : std::string(text));
}

}  // namespace strata::turn
