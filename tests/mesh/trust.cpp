#include "mesh/trust.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>

#include "base/base64.hpp"
#include "mesh/identity.hpp"

using namespace strata;
using mesh::trust;

namespace {

crypto::public_key key_of(std::uint8_t n) {
  return crypto::signing_key::generate([n](base::byte_span out) mutable {
           for (auto& octet : out) octet = n++;
         })
      .public_key();
}
const auto first = key_of(1), second = key_of(120);
constexpr base::wall_time at(std::chrono::seconds s) { return base::wall_time(s); }
constexpr auto now = at(std::chrono::seconds(1'700'000'000));

// What a store would hold after these changes.
struct shelf {
  std::map<std::string, std::string> records;
  void take(const store::changes& all) {
    for (const auto& c : all) {
      CHECK(c.table == trust::table);
      if (c.value) records[c.name] = *c.value;
      else records.erase(c.name);
    }
  }
  std::vector<store::record> load() const {
    std::vector<store::record> all;
    for (const auto& [name, value] : records) all.push_back({name, value});
    return all;
  }
};

}  // namespace

TEST_CASE("the first key is remembered, another one is refused, and that survives a restart") {
  shelf s;
  trust t;
  s.take(*t.met("ada", first, "ada-sidecar", now));
  CHECK(t.key_of("ada") == first);
  CHECK(t.met("ada", first, "ada-sidecar", now)->empty());  // nothing new
  trust again;
  REQUIRE(again.load(s.load()));
  CHECK(again.key_of("ada") == first);
  CHECK(again.find("ada")->alias == "ada-sidecar");
  CHECK(again.find("ada")->since == now);
  CHECK_FALSE(again.find("ada")->compared);
  const auto other = again.met("ada", second, "ada-sidecar", now);
  REQUIRE_FALSE(other);
  CHECK(other.error().find("another key") != std::string::npos);
  CHECK(again.key_of("ada") == first);
  CHECK(again.describe("ada").text("refused") == mesh::spoken_fingerprint(second));
}

TEST_CASE("a person takes the key that was refused, or marks the known one as compared") {
  shelf s;
  trust t;
  s.take(*t.met("ada", first, "", now));
  s.take(*t.accept("ada", "", now));
  CHECK(t.find("ada")->compared);
  CHECK(t.key_of("ada") == first);
  t.refused("ada", second);
  const auto later = at(std::chrono::seconds(1'800'000'000));
  s.take(*t.accept("ada", "", later));
  CHECK(t.key_of("ada") == second);
  CHECK_FALSE(t.find("ada")->refused);
  trust again;
  REQUIRE(again.load(s.load()));
  CHECK(again.key_of("ada") == second);
  CHECK(again.find("ada")->compared);
  CHECK(again.find("ada")->since == later);
}

TEST_CASE("a fingerprint that is given must be that of the key that is taken") {
  trust t;
  REQUIRE(t.met("ada", first, "", now));
  t.refused("ada", second);
  CHECK_FALSE(t.accept("ada", "00000 00000 00000 00000 00000 00000", now));
  CHECK(t.key_of("ada") == first);
  CHECK(t.accept("ada", mesh::spoken_fingerprint(first), now));  // the known one is right, whatever was shown since
  CHECK(t.key_of("ada") == first);
  auto dashes = mesh::spoken_fingerprint(second);
  std::ranges::replace(dashes, ' ', '-');
  CHECK(t.accept("ada", dashes, now));
  CHECK(t.key_of("ada") == second);
  CHECK_FALSE(t.accept("nobody", "", now));
}

TEST_CASE("who is forgotten is met as if for the first time") {
  shelf s;
  trust t;
  s.take(*t.met("ada", first, "ada-sidecar", now));
  s.take(*t.forget("ada"));
  CHECK(s.records.empty());
  CHECK_FALSE(t.key_of("ada"));
  CHECK_FALSE(t.taken_by_another("ada-sidecar", "hedy"));
  CHECK_FALSE(t.forget("ada"));
  s.take(*t.met("ada", second, "", now));
  CHECK(t.key_of("ada") == second);
}

TEST_CASE("a name by which a peer is known cannot be had by another") {
  trust t;
  REQUIRE(t.met("ada", first, "ada-sidecar", now));
  CHECK(t.taken_by_another("ada-sidecar", "hedy"));
  CHECK(t.taken_by_another("ada", "hedy"));
  CHECK_FALSE(t.taken_by_another("ada-sidecar", "ada"));
  CHECK_FALSE(t.taken_by_another("", "hedy"));
  CHECK_FALSE(t.met("ada-sidecar", second, "", now));  // as an id
  REQUIRE(t.met("hedy", second, "ada-sidecar", now));  // as an alias: the peer may come, the name stays away
  CHECK(t.find("hedy")->alias.empty());
  REQUIRE(t.met("grace", second, "ada", now));
  CHECK(t.find("grace")->alias.empty());
}

TEST_CASE("a peer may take another alias, and the old one is free") {
  trust t;
  REQUIRE(t.met("ada", first, "one", now));
  CHECK(t.met("ada", first, "two", now)->size() == 1);
  CHECK_FALSE(t.taken_by_another("one", "hedy"));
  CHECK(t.taken_by_another("two", "hedy"));
  CHECK(t.met("ada", first, "", now)->empty());  // it said no name this time: the one we know stays
  CHECK(t.find("ada")->alias == "two");
}

TEST_CASE("a stored key that cannot be read is an error, never a key forgotten") {
  const auto good =
      base::json::make({{"key", base::base64_encode(first.octets())}, {"alias", ""}, {"since", 1}, {"compared", false}});
  const auto with = [&](std::string_view name, base::json v) {
    auto changed = good;
    changed.set(name, std::move(v));
    return changed.dump();
  };
  CHECK(trust().load({{"ada", good.dump()}}));
  for (const auto& bad :
       {std::string(), std::string("[]"), std::string("{"), with("key", "AAAA"), with("key", nullptr), with("since", "1"),
        with("since", -1), with("since", 9'000'000'001), with("compared", 1), with("alias", "a b")}) {
    CAPTURE(bad);
    const auto loaded = trust().load({{"ada", bad}});
    REQUIRE_FALSE(loaded);
    CHECK(loaded.error().find("ada") != std::string::npos);
  }
  CHECK_FALSE(trust().load({{"no id", good.dump()}}));
}

TEST_CASE("the list shows what a person compares") {
  trust t;
  REQUIRE(t.met("grace", second, "", now));
  REQUIRE(t.met("ada", first, "ada-sidecar", now));
  const auto list = t.list();
  REQUIRE(list.as_array()->size() == 2);
  const auto& ada = list.as_array()->front();
  CHECK(ada.text("peer") == "ada");
  CHECK(ada.text("fingerprint") == mesh::spoken_fingerprint(first));
  CHECK(ada.find("refused") == nullptr);
  CHECK(t.describe("nobody").is_null());
}
