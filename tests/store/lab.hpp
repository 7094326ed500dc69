// What the tests of the SQLite store share: a folder of their own, commits awaited on a host, tables shown as text.
#pragma once

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "async/async.hpp"
#include "net/asio_host.hpp"
#include "store/sqlite.hpp"

namespace strata::test {

struct folder {
  std::string path = "/tmp/strata-store-XXXXXX";
  folder() { REQUIRE(::mkdtemp(path.data()) != nullptr); }
  ~folder() { std::filesystem::remove_all(path); }
  [[nodiscard]] std::string file() const { return path + "/state/s.db"; }
};

inline base::result<void> commit(net::asio_host& h, store::engine& e, store::changes c) {
  return h.run(e.commit(std::move(c)));
}

inline std::string shown(store::engine& e, std::string_view table) {
  const auto records = e.load(table);
  if (!records) return records.error().message();
  std::string text;
  for (const auto& r : *records) text += r.name + "=" + r.value + ";";
  return text;
}

inline unsigned mode_of(const std::string& path) {
  struct stat about{};
  return ::stat(path.c_str(), &about) == 0 ? about.st_mode & 07777 : 0;
}

// Runs f, which returns 0 or the number of the step that went wrong, in a child process and tells what it returned.
template <class F>
int in_a_child(F f) {
  const auto child = ::fork();
  if (child == 0) ::_exit(f());
  int status = 0;
  if (child < 0 || ::waitpid(child, &status, 0) != child || !WIFEXITED(status)) return -1;
  return WEXITSTATUS(status);
}

}  // namespace strata::test
