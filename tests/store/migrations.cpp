#include "lab.hpp"

using namespace strata;
using namespace strata::test;

namespace {

// Version 2 keeps people in a table of their own, with the name in capitals.
store::migration capitals() {
  return {[](const store::reader& read) -> base::result<store::changes> {
    const auto all = read("users");
    if (!all) return base::fail(all.error());
    store::changes c;
    for (const auto& r : *all) {
      c.push_back({"users", r.name, std::nullopt});
      std::string name = r.name;
      for (auto& letter : name) letter = static_cast<char>(letter - 'a' + 'A');
      c.push_back({"people", name, r.value});
    }
    return c;
  }};
}

const store::schema first{.tables = {"users"}};
const store::schema second{.tables = {"people"}, .migrations = {capitals()}};

void make_first(net::asio_host& h, const std::string& file) {
  auto s = store::open_sqlite(h, file, first);
  REQUIRE(s);
  REQUIRE(commit(h, **s, {{"users", "ann", "1"}, {"users", "bob", "2"}}));
}

}  // namespace

TEST_CASE("a store of version 1 is brought to version 2 when it is opened, once") {
  const folder f;
  net::asio_host h;
  make_first(h, f.file());
  for (int i = 0; i < 2; ++i) {
    auto s = store::open_sqlite(h, f.file(), second);
    REQUIRE(s);
    CHECK(shown(**s, "people") == "ANN=1;BOB=2;");
  }
}

TEST_CASE("a new store is of the latest version from its beginning: no migration runs") {
  const folder f;
  net::asio_host h;
  store::schema s = second;
  s.migrations[0].step = [](const store::reader&) -> base::result<store::changes> { return base::fail(store::errc::corrupt); };
  CHECK(store::open_sqlite(h, f.file(), s));
}

TEST_CASE("a store that a later version has written is refused and stays as it is") {
  const folder f;
  net::asio_host h;
  make_first(h, f.file());
  REQUIRE(store::open_sqlite(h, f.file(), second));
  const auto refused = store::open_sqlite(h, f.file(), first);
  REQUIRE_FALSE(refused);
  CHECK(refused.error() == store::errc::newer);
  auto s = store::open_sqlite(h, f.file(), second);
  REQUIRE(s);
  CHECK(shown(**s, "people") == "ANN=1;BOB=2;");
}

TEST_CASE("a migration that fails leaves the old store, also what earlier ones of the same start have done") {
  const folder f;
  net::asio_host h;
  make_first(h, f.file());
  auto third = second;
  third.migrations.push_back({[](const store::reader& read) -> base::result<store::changes> {
    CHECK(read("people")->size() == 2);  // sees what the one before has done
    CHECK(read("nothing")->empty());
    return base::fail(store::errc::corrupt);
  }});
  CHECK(store::open_sqlite(h, f.file(), third).error() == store::errc::corrupt);
  auto s = store::open_sqlite(h, f.file(), first);
  REQUIRE(s);
  CHECK(shown(**s, "users") == "ann=1;bob=2;");
}

TEST_CASE("a look for reading only changes nothing, goes beside the owner, and wants the version it knows") {
  const folder f;
  net::asio_host h;
  make_first(h, f.file());
  CHECK(store::open_sqlite(h, f.file(), second, {.read_only = true}).error() == store::errc::older);
  auto owner = store::open_sqlite(h, f.file(), first);
  REQUIRE(owner);
  auto look = store::open_sqlite(h, f.file(), first, {.read_only = true});
  REQUIRE(look);
  REQUIRE(commit(h, **owner, {{"users", "cid", "3"}}));
  CHECK(shown(**look, "users") == "ann=1;bob=2;cid=3;");
  CHECK(commit(h, **look, {{"users", "dan", "4"}}).error() == store::errc::read_only);
}
