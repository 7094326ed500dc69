// Everything of the coroutine framework. docs/async.md is the guide.
#pragma once

#include "async/channel.hpp"
#include "async/combine.hpp"
#include "async/event.hpp"
#include "async/finally.hpp"
#include "async/loop.hpp"
#include "async/scope.hpp"
#include "async/sleep.hpp"
#include "async/task.hpp"
