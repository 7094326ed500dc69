#include "mesh/identity.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

using namespace strata;

namespace {

struct folder {
  std::string path = "/tmp/strata-identity-XXXXXX";
  folder() { REQUIRE(::mkdtemp(path.data()) != nullptr); }
  ~folder() { std::filesystem::remove_all(path); }
};

crypto::random_source counting(std::uint8_t from) {
  return [n = from](base::byte_span out) mutable {
    for (auto& octet : out) octet = n++;
  };
}

unsigned mode_of(const std::string& path) {
  struct stat about{};
  REQUIRE(::stat(path.c_str(), &about) == 0);
  return about.st_mode & 07777;
}

}  // namespace

TEST_CASE("a key is made once, for its owner alone, and is the same from then on") {
  const folder f;
  const auto state = f.path + "/deep/state";
  const auto first = mesh::kept_identity(state, counting(1));
  REQUIRE(first);
  CHECK(mode_of(state) == 0700);
  CHECK(mode_of(state + "/identity.pem") == 0600);
  const auto second = mesh::kept_identity(state, counting(99));
  REQUIRE(second);
  CHECK(second->public_key() == first->public_key());
}

TEST_CASE("a key that others may read is not used") {
  const folder f;
  REQUIRE(mesh::kept_identity(f.path, counting(1)));
  for (const unsigned mode : {0640u, 0604u, 0620u, 0666u}) {
    ::chmod((f.path + "/identity.pem").c_str(), mode);
    const auto key = mesh::kept_identity(f.path, counting(1));
    REQUIRE_FALSE(key);
    CHECK(key.error().find("chmod 600") != std::string::npos);
  }
}

TEST_CASE("a broken key file is an error that names it, and is left as it is") {
  const folder f;
  const auto path = f.path + "/identity.pem";
  std::ofstream(path) << "not a key\n";
  ::chmod(path.c_str(), 0600);
  const auto key = mesh::kept_identity(f.path, counting(1));
  REQUIRE_FALSE(key);
  CHECK(key.error().starts_with(path));
  CHECK(std::filesystem::file_size(path) == 10);
}

TEST_CASE("a directory that cannot be made is an error") {
  const folder f;
  std::ofstream(f.path + "/file") << "x";
  CHECK_FALSE(mesh::kept_identity(f.path + "/file/state", counting(1)));
}

TEST_CASE("a fingerprint for people is six groups of five digits, another for every key") {
  const auto one = mesh::spoken_fingerprint(crypto::signing_key::generate(counting(1)).public_key());
  CHECK(one.size() == 35);
  for (std::size_t i = 0; i < one.size(); ++i) CHECK((i % 6 == 5 ? one[i] == ' ' : one[i] >= '0' && one[i] <= '9'));
  CHECK(one == mesh::spoken_fingerprint(crypto::signing_key::generate(counting(1)).public_key()));
  CHECK(one != mesh::spoken_fingerprint(crypto::signing_key::generate(counting(2)).public_key()));
}
