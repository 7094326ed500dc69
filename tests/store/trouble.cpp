#include <sched.h>
#include <sys/mount.h>

#include <fstream>

#include "lab.hpp"

using namespace strata;
using namespace strata::test;

namespace {

constexpr int no_namespace = 77;
const store::schema one_table{.tables = {"t"}};

store::changes large(const std::string& name, std::size_t size) { return {{"t", name, std::string(size, 'x')}}; }

std::error_code opening(const std::string& path) {
  net::asio_host h;
  const auto s = store::open_sqlite(h, path, one_table);
  return s ? std::error_code() : s.error().code;
}

void overwrite(const std::string& path, std::streamoff at, const std::string& text) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(at);
  file << text;
}

void make_filled(const std::string& path) {
  net::asio_host h;
  auto s = store::open_sqlite(h, path, one_table);
  REQUIRE(s);
  store::changes c;
  for (int i = 0; i < 2000; ++i) c.push_back({"t", "name" + std::to_string(i), std::string(100, 'v')});
  REQUIRE(commit(h, **s, c));
}

}  // namespace

TEST_CASE("a used-up quota is told, keeps nothing of the commit, and others go on") {
  const folder f;
  net::asio_host h;
  auto s = store::open_sqlite(h, f.file(), one_table, {.most_pages = 30});
  REQUIRE(s);
  REQUIRE(commit(h, **s, {{"t", "a", "1"}}));
  auto too_much = large("b", 200'000);
  too_much.push_back({"t", "c", "3"});
  const auto refused = commit(h, **s, std::move(too_much));
  REQUIRE_FALSE(refused);
  CHECK(refused.error() == store::errc::disk_full);
  CHECK(refused.error().message().find("disk is full") != std::string::npos);
  CHECK(shown(**s, "t") == "a=1;");
  CHECK(commit(h, **s, {{"t", "d", "4"}}));
  CHECK(shown(**s, "t") == "a=1;d=4;");
}

TEST_CASE("a commit that does not fit costs those that waited with it nothing") {
  const folder f;
  net::asio_host h;
  auto s = store::open_sqlite(h, f.file(), one_table, {.most_pages = 30});
  REQUIRE(s);
  auto a = (*s)->commit({{"t", "a", "1"}});
  auto b = (*s)->commit(large("b", 200'000));
  auto c = (*s)->commit({{"t", "c", "3"}});
  CHECK(h.run(std::move(a)).has_value());
  CHECK(h.run(std::move(b)).error() == store::errc::disk_full);
  CHECK(h.run(std::move(c)).has_value());
  CHECK(shown(**s, "t") == "a=1;c=3;");
}

TEST_CASE("a file system that is full or read-only gives clear errors, and what was acknowledged stays") {
  const folder f;
  const int outcome = in_a_child([&] {
    const auto as_root = ::getuid() == 0 && ::unshare(CLONE_NEWNS) == 0;
    if (!as_root && ::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return no_namespace;
    ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
    if (::mount("tmpfs", f.path.c_str(), "tmpfs", 0, "size=1m,mode=700") != 0) return no_namespace;
    net::asio_host h;
    std::size_t kept = 0;
    {
      auto s = store::open_sqlite(h, f.file(), one_table);
      if (!s) return 1;
      base::result<void> last;
      while ((last = commit(h, **s, large(std::to_string(kept), 20'000))) && kept < 1000) ++kept;
      if (last || last.error() != store::errc::disk_full || kept < 5) return 2;
      if (commit(h, **s, large("again", 20'000))) return 3;
      if ((*s)->load("t")->size() != kept) return 4;
    }
    if (::mount("tmpfs", f.path.c_str(), "tmpfs", MS_REMOUNT, "size=4m,mode=700") != 0) return no_namespace;
    {
      auto s = store::open_sqlite(h, f.file(), one_table);
      if (!s || (*s)->load("t")->size() != kept) return 5;
      if (!commit(h, **s, large("fits now", 20'000))) return 6;
    }
    if (::mount("tmpfs", f.path.c_str(), "tmpfs", MS_REMOUNT | MS_RDONLY, "size=4m,mode=700") != 0) return no_namespace;
    if (opening(f.file()) != store::errc::read_only) return 7;
    if (opening(f.path + "/new/s.db") != store::errc::directory) return 8;
    return 0;
  });
  if (outcome == no_namespace) {
    MESSAGE("skipped: this machine lets nobody make a mount namespace");
    return;
  }
  CHECK(outcome == 0);
}

TEST_CASE("a full disk is told at the first start") {
  const folder f;
  const int outcome = in_a_child([&] {
    const auto as_root = ::getuid() == 0 && ::unshare(CLONE_NEWNS) == 0;
    if (!as_root && ::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return no_namespace;
    ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
    if (::mount("tmpfs", f.path.c_str(), "tmpfs", 0, "size=16k,mode=700") != 0) return no_namespace;
    std::ofstream(f.path + "/filler") << std::string(12'000, 'x');
    return opening(f.path + "/s.db") == store::errc::disk_full ? 0 : 1;
  });
  if (outcome == no_namespace) {
    MESSAGE("skipped: this machine lets nobody make a mount namespace");
    return;
  }
  CHECK(outcome == 0);
}

TEST_CASE("a folder or a file without the right to write is told at the start") {
  const folder f;
  make_filled(f.file());
  const auto state = f.path + "/state";
  const bool root = ::getuid() == 0;
  if (root) {
    for (const auto& path : {f.path, state, f.file(), f.file() + ".lock"}) REQUIRE(::chown(path.c_str(), 65534, 65534) == 0);
  }
  const auto as_nobody = [&] {
    return in_a_child([&] {
      if (root && (::setgid(65534) != 0 || ::setuid(65534) != 0)) return 2;
      return opening(f.file()) == store::errc::read_only ? 0 : 1;
    });
  };
  ::chmod(state.c_str(), 0500);
  CHECK(as_nobody() == 0);
  ::chmod(state.c_str(), 0700);
  ::chmod(f.file().c_str(), 0400);
  CHECK(as_nobody() == 0);
}

TEST_CASE("a file that is no store is refused and stays as it is") {
  const folder f;
  const auto path = f.path + "/s.db";
  for (const auto& text :
       {std::string("{\"keys\": {}}"), std::string(5000, 'x'), "SQLite format 3" + std::string(5000, '\0')}) {
    std::ofstream(path, std::ios::trunc) << text;
    CHECK(opening(path) == store::errc::corrupt);
    CHECK(std::filesystem::file_size(path) == text.size());
  }
  CHECK(opening(f.path + "/s.db/below") == store::errc::directory);
  std::filesystem::create_directory(f.path + "/folder");
  CHECK(opening(f.path + "/folder"));
}

TEST_CASE("a store that was damaged or cut off is refused at the start") {
  const folder f;
  make_filled(f.file());
  const auto whole = f.path + "/whole";
  std::filesystem::copy_file(f.file(), whole);
  const auto size = std::filesystem::file_size(whole);
  REQUIRE(size > 40'000);
  for (std::streamoff at = 4096; at < 40'000; at += 4096) {
    CAPTURE(at);
    std::filesystem::copy_file(whole, f.file(), std::filesystem::copy_options::overwrite_existing);
    overwrite(f.file(), at, std::string(512, '\xa5'));
    CHECK(opening(f.file()) == store::errc::corrupt);
  }
  std::filesystem::copy_file(whole, f.file(), std::filesystem::copy_options::overwrite_existing);
  std::filesystem::resize_file(f.file(), size / 2);
  CHECK(opening(f.file()) == store::errc::corrupt);
}

TEST_CASE("a good database of another program is refused") {
  const folder f;
  make_filled(f.file());
  overwrite(f.file(), 68, "ABCD");  // the application id in the header (SQLite file format §1.3)
  CHECK(opening(f.file()) == store::errc::foreign);
}

TEST_CASE("a store has one owner; another one is told so, and may have it when the first is gone, however it went") {
  const folder f;
  {
    net::asio_host h;
    auto s = store::open_sqlite(h, f.file(), one_table);
    REQUIRE(s);
    CHECK(opening(f.file()) == store::errc::locked);
    CHECK(in_a_child([&] { return opening(f.file()) == store::errc::locked ? 0 : 1; }) == 0);
  }
  CHECK_FALSE(opening(f.file()));
  CHECK(in_a_child([&] {
          net::asio_host h;
          auto s = store::open_sqlite(h, f.file(), one_table);
          return s ? ::_exit(0), 0 : 1;  // closes nothing in order
        }) == 0);
  CHECK_FALSE(opening(f.file()));
}
