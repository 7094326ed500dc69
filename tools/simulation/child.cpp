#include "simulation/child.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <list>
#include <stdexcept>

namespace strata::simulation {
namespace {

struct child {
  pid_t id = -1;
  int reader = -1;
  std::size_t index = 0;
  std::string text;
  std::chrono::steady_clock::time_point deadline;
};

std::string to_text(const outcome& o) {
  return fmt::format("{:016x} {} {} {} {} {}\n{}", o.hash, o.messages.sent, o.messages.arrived, o.messages.reported,
                     o.virtual_seconds, o.linked_again, o.failure);
}

bool from_text(const std::string& text, outcome& o) {
  const auto end = text.find('\n');
  if (end == text.npos) return false;
  unsigned long long hash = 0, sent = 0, arrived = 0, reported = 0;
  if (std::sscanf(text.c_str(), "%llx %llu %llu %llu %lf %lf", &hash, &sent, &arrived, &reported, &o.virtual_seconds,
                  &o.linked_again) != 6)
    return false;
  o.hash = hash;
  o.messages = {sent, arrived, reported};
  o.failure = text.substr(end + 1);
  return true;
}

child begin(std::size_t index, const plan& p, std::chrono::seconds limit) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("no pipe: " + std::string(std::strerror(errno)));
  std::fflush(nullptr);
  const auto id = ::fork();
  if (id < 0) throw std::runtime_error("no process: " + std::string(std::strerror(errno)));
  if (id == 0) {
    ::close(ends[0]);
    const auto text = to_text(run(p));
    std::size_t written = 0;
    while (written < text.size()) {
      const auto n = ::write(ends[1], text.data() + written, text.size() - written);
      if (n <= 0) break;
      written += static_cast<std::size_t>(n);
    }
    std::fflush(nullptr);
    std::exit(0);
  }
  ::close(ends[1]);
  return {id, ends[0], index, {}, std::chrono::steady_clock::now() + limit};
}

outcome end(child& c, bool late) {
  if (late) ::kill(c.id, SIGKILL);
  int status = 0;
  while (::waitpid(c.id, &status, 0) < 0 && errno == EINTR) {
  }
  ::close(c.reader);
  outcome o;
  const bool said = from_text(c.text, o);
  if (late) o.failure = "hang: the run takes more real time than it may";
  else if (WIFSIGNALED(status))
    o.failure = fmt::format("crash: signal {} ({})", WTERMSIG(status), ::strsignal(WTERMSIG(status)));
  else if (!said || WEXITSTATUS(status) != 0) o.failure = fmt::format("crash: exit code {}", WEXITSTATUS(status));
  return o;
}

}  // namespace

void run_all(std::size_t count, std::size_t jobs, const std::function<plan(std::size_t)>& next,
             const std::function<bool(std::size_t, const outcome&)>& done, std::chrono::seconds real_limit) {
  std::list<child> children;
  std::size_t begun = 0;
  bool more = true;
  while (!children.empty() || (more && begun < count)) {
    for (; more && begun < count && children.size() < jobs; ++begun) children.push_back(begin(begun, next(begun), real_limit));
    std::vector<pollfd> watched;
    for (const auto& c : children) watched.push_back({c.reader, POLLIN, 0});
    if (::poll(watched.data(), watched.size(), 500) < 0 && errno != EINTR) throw std::runtime_error("poll failed");
    std::size_t n = 0;
    for (auto c = children.begin(); c != children.end(); ++n) {
      bool ended = false;
      if (watched[n].revents != 0) {
        char buffer[4096];
        const auto got = ::read(c->reader, buffer, sizeof buffer);
        if (got > 0) c->text.append(buffer, static_cast<std::size_t>(got));
        else ended = true;
      }
      const bool late = !ended && std::chrono::steady_clock::now() > c->deadline;
      if (!ended && !late) {
        ++c;
        continue;
      }
      const auto o = end(*c, late);
      const auto index = c->index;
      c = children.erase(c);
      if (!done(index, o)) more = false;
    }
  }
}

outcome run_in_child(const plan& p) {
  outcome result;
  run_all(
      1, 1, [&](std::size_t) { return p; },
      [&](std::size_t, const outcome& o) {
        result = o;
        return true;
      });
  return result;
}

}  // namespace strata::simulation
