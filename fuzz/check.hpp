// How a target says that a property does not hold: the fuzzer takes the trap for a crash and keeps the input.
#pragma once

#define STRATA_FUZZ_CHECK(condition)    \
  do {                                  \
    if (!(condition)) __builtin_trap(); \
  } while (false)
