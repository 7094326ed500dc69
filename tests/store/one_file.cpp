#include "store/one_file.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "sim/loop.hpp"

using namespace strata;
using store::one_file;

namespace {

struct folder {
  std::string path = "/tmp/strata-store-XXXXXX";
  folder() { REQUIRE(::mkdtemp(path.data()) != nullptr); }
  ~folder() { std::filesystem::remove_all(path); }
  std::string file() const { return path + "/state.json"; }
};

base::result<void> commit(store::engine& e, store::changes c) {
  base::result<void> outcome;
  sim::loop loop;
  loop.run([](store::engine& to, store::changes all, base::result<void>& out) -> async::task<> {
    out = co_await to.commit(std::move(all));
  }(e, std::move(c), outcome));
  return outcome;
}

std::string shown(store::engine& e, std::string_view table) {
  std::string text;
  const auto records = e.load(table);
  REQUIRE(records);
  for (const auto& r : *records) text += r.name + "=" + r.value + ";";
  return text;
}

}  // namespace

TEST_CASE("what is committed is there after a new start, and the file is its owner's alone") {
  const folder f;
  auto s = one_file::open(f.file());
  REQUIRE(s);
  CHECK(shown(*s, "pins").empty());
  REQUIRE(commit(*s, {{"pins", "b", "2"}, {"pins", "a", "1"}, {"other", "x", "\"\n\xc3\xa4"}}));
  REQUIRE(commit(*s, {{"pins", "b", std::nullopt}, {"pins", "c", "3"}, {"pins", "nobody", std::nullopt}}));
  auto again = one_file::open(f.file());
  REQUIRE(again);
  CHECK(shown(*again, "pins") == "a=1;c=3;");
  CHECK(shown(*again, "other") == "x=\"\n\xc3\xa4;");
  struct stat about{};
  REQUIRE(::stat(f.file().c_str(), &about) == 0);
  CHECK((about.st_mode & 07777) == 0600);
}

TEST_CASE("a commit that cannot be written changes nothing") {
  const folder f;
  auto s = one_file::open(f.path + "/away/state.json");
  REQUIRE(s);
  CHECK_FALSE(commit(*s, {{"pins", "a", "1"}}));
  CHECK(shown(*s, "pins").empty());
}

TEST_CASE("a file that is no store is an error that names it, and stays as it is") {
  const folder f;
  for (const auto* text : {"", "[]", "{", R"({"pins":[]})", R"({"pins":{"a":1}})"}) {
    CAPTURE(text);
    std::ofstream(f.file()) << text;
    const auto s = one_file::open(f.file());
    REQUIRE_FALSE(s);
    CHECK(s.error().starts_with(f.file()));
    CHECK(std::filesystem::file_size(f.file()) == std::string_view(text).size());
  }
}
