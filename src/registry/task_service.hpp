// The task queue behind its routes (contract §1.3, §4): what is acknowledged has been committed, and tasks end when their time
// is over. Who asks has been authenticated by the caller.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "async/async.hpp"
#include "http/message.hpp"
#include "net/host.hpp"
#include "registry/agents.hpp"
#include "registry/credentials.hpp"
#include "registry/task_queue.hpp"
#include "store/store.hpp"

namespace strata::registry {

struct task_counters {
  std::uint64_t submitted = 0, claimed = 0, completed = 0, failed = 0, refused = 0, store_failures = 0;
};

class task_service {
 public:
  task_service(net::host& h, store::engine& s, const agents& a, task_limits l = {})
      : host_(h), store_(s), agents_(a), queue_(l) {}

  [[nodiscard]] std::string start();  // reads the store; what is wrong with it, or nothing
  async::task<> run();                // until cancelled

  // POST and GET /api/hub/tasks, GET /api/hub/tasks/all?after=&limit=, GET, POST and DELETE /api/hub/tasks/{id}.
  async::task<http::response> submit(const http::request& r, identity who);
  http::response list(const http::request& r) const;
  http::response show(std::string_view id) const;
  async::task<http::response> update(const http::request& r, std::string id, identity who);
  async::task<http::response> cancel(std::string id, identity who);
  // GET /api/hub/tasks/next?agent_id=&wait=SECONDS: the next task for an agent, as soon as there is one; 204 when there is
  // none.
  async::task<http::response> next(const http::request& r, identity who);

  // With a heartbeat: what the agent has to do now. running: the tasks that it says it works on.
  async::task<base::result<base::json>> pick_up(std::string agent, std::optional<std::vector<std::string>> running);

  // The next tasks in a peer's mailbox, when there are some. On a new connection first say so: what was handed over on the
  // one before and is not finished comes again.
  async::task<base::result<base::json>> mail_for(std::string peer);
  async::task<base::result<void>> mail_again(std::string peer);
  async::task<> mail_is_done(std::string peer, std::string id);

  [[nodiscard]] const task_counters& counters() const noexcept { return counters_; }
  [[nodiscard]] const task_queue& queue() const noexcept { return queue_; }

 private:
  async::task<base::result<void>> commit(store::changes c);
  async::task<base::result<base::json>> claim(std::string agent, std::vector<std::string> skills, std::size_t most);
  // Of an agent or mailbox that belongs to `who`; nothing: it does not.
  [[nodiscard]] std::optional<std::vector<std::string>> skills_of(std::string_view agent, const identity& who) const;

  net::host& host_;
  store::engine& store_;
  const agents& agents_;
  task_queue queue_;
  task_counters counters_;
  async::event changed_;  // pulsed: there may be work, or another deadline
};

}  // namespace strata::registry
