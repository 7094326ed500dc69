// A request that is being answered: what the steps of the engine hand to each other.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "stun/attributes/text.hpp"
#include "stun/fingerprint.hpp"
#include "stun/message_writer.hpp"
#include "turn/server/engine.hpp"

namespace strata::turn::server {

struct engine::request {
  const stun::message_view& message;
  const five_tuple& tuple;
  moment when;
  base::bytes& out;
  server::allocation* allocation = nullptr;  // on this 5-tuple
  stun::admission admission{};
  std::string username{};
  std::vector<stun::attribute_type> unknown{};

  // SOFTWARE, integrity and FINGERPRINT come by themselves: the latter two when the request had them. Those who have not
  // proved who they are get no SOFTWARE: their answers are to be small (RFC 8656 §5 would like it in each).
  template <class F>
  void answer(stun::message_class c, const rules_config& config, F fill) {
    stun::message_writer w(out, {c, message.method()}, message.transaction_id());
    std::forward<F>(fill)(w);
    const bool wanted = message.method() == stun::method::allocate || message.method() == stun::method::refresh;
    if (wanted && admission.admitted() && !config.software.empty()) w.add(stun::software{config.software});
    admission.sign(w);
    if (message.fingerprint_offset()) w.fingerprint();
  }
};

// Nobody answers an indication: its id has to differ from the others and from nothing else.
[[nodiscard]] inline stun::transaction_id indication_id(std::uint64_t count, std::uint8_t kind) noexcept {
  stun::transaction_id id{kind};
  for (std::size_t i = 0; i < 8; ++i) id[4 + i] = static_cast<std::uint8_t>(count >> (56 - 8 * i));
  return id;
}

}  // namespace strata::turn::server
