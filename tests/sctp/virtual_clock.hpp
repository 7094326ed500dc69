// Makes usrsctp follow a test's clock; see the source.
#pragma once

#include "async/loop.hpp"

namespace strata::test {

void follow(const async::loop* l);  // null: stand still

}  // namespace strata::test
