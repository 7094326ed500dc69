// Time as the protocols see it. An instant has no meaning outside the host that gave it.
#pragma once

#include <chrono>

namespace strata::base {

using duration = std::chrono::nanoseconds;
struct host_clock {};  // tag: readings come from net::host::now(), never from the operating system directly
using instant = std::chrono::time_point<host_clock, duration>;
using wall_time = std::chrono::sys_time<std::chrono::nanoseconds>;  // certificates, tokens, capture files

using namespace std::chrono_literals;

inline double milliseconds(duration d) { return std::chrono::duration<double, std::milli>(d).count(); }

inline constexpr instant never = instant::max();

}  // namespace strata::base
