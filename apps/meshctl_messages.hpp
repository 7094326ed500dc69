// meshctl request, listen, watch, explain: a person in the place of a program.
#pragma once

#include <string>

#include "async/async.hpp"
#include "base/time.hpp"
#include "net/host.hpp"

namespace strata::apps {

// What meshctl ends with.
namespace meshctl_exit {
inline constexpr int done = 0, failed = 1, misused = 2, no_meshd = 3, no_answer = 4;
}

struct request_options {
  std::string peer, text, skill;
  double seconds = 30;
  bool as_json = false;
};
// A task_request; prints the result. no_answer: none came in time.
async::task<int> request(net::host& h, std::string ipc_path, request_options o);

struct listen_options {
  std::string answer;  // to every request; empty: none
  int count = 0;       // messages, then it ends; 0: never
  bool as_json = false;
};
// Prints what arrives for the programs of this meshd.
async::task<int> listen(net::host& h, std::string ipc_path, listen_options o);

// The links and what messages to their peers take, printed again whenever something of it changes.
async::task<int> watch(net::host& h, std::string ipc_path, bool as_json);

// Why messages to this peer take the way they take, what was tried, and what to change.
async::task<int> explain(net::host& h, std::string ipc_path, std::string peer, bool as_json);

}  // namespace strata::apps
