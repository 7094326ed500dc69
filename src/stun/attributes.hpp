// All attributes, for those who use many of them.
#pragma once

#include "stun/attributes/address.hpp"
#include "stun/attributes/behavior.hpp"
#include "stun/attributes/credential.hpp"
#include "stun/attributes/error.hpp"
#include "stun/attributes/ice.hpp"
#include "stun/attributes/text.hpp"
#include "stun/attributes/turn.hpp"
