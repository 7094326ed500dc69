// What to make of a response whose transaction id fits: the word between those who check a response and those who wait for it.
#pragma once

#include <cstdint>

#include "base/error.hpp"

namespace strata::stun {

enum class reaction : std::uint8_t {
  accept,   // it is the answer
  retry,    // it is an answer, and asks for a new transaction (other credentials, a new nonce)
  ignore,   // as if it had never arrived
  discard,  // not authentic: over UDP as if it had never arrived, over TCP the end of the transaction
  fail,     // the transaction is over
};

struct judgement {
  reaction what = reaction::accept;
  base::error why{};       // for everything but accept; a transaction that only saw ignored answers ends with it
  bool authentic = false;  // its integrity was verified with a key that both sides know
};

}  // namespace strata::stun
