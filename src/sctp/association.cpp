#include "sctp/association.hpp"

namespace strata::sctp {

std::string_view to_string(state s) noexcept {
  switch (s) {
    case state::idle: return "idle";
    case state::connecting: return "connecting";
    case state::established: return "established";
    case state::shutting_down: return "shutting down";
    case state::closed: return "closed";
  }
  return "?";
}

}  // namespace strata::sctp
