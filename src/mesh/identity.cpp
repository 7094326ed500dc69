#include "mesh/identity.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "crypto/digest.hpp"

namespace strata::mesh {
namespace {

constexpr std::size_t groups = 6, octets_of_group = 5, digits_of_group = 5;
constexpr std::uint64_t numbers_of_group = 100'000;  // 40 bits give each of them nearly the same weight

}  // namespace

store::told<crypto::signing_key> kept_identity(const std::string& directory, const crypto::random_source& random) {
  const auto path = directory + "/identity.pem";
  struct stat about{};
  if (::stat(path.c_str(), &about) != 0) {
    // Only what is not there is made: a key that cannot be reached just now is still the one that peers know.
    if (errno != ENOENT) return tl::unexpected(path + ": " + std::strerror(errno));
    if (auto failed = store::make_private_directory(directory); !failed.empty()) return tl::unexpected(std::move(failed));
    auto fresh = crypto::signing_key::generate(random);
    if (auto failed = store::write_file(path, fresh.pem(), 0600); !failed.empty()) return tl::unexpected(std::move(failed));
    return fresh;
  }
  if ((about.st_mode & (S_IRWXG | S_IRWXO)) != 0)
    return tl::unexpected(path +
                          ": others than its owner may use it; a key that may be known to others is not used (chmod 600)");
  const auto text = store::read_file(path);
  if (!text) return tl::unexpected(text.error());
  auto key = crypto::signing_key::from_pem(*text);
  if (!key) return tl::unexpected(path + ": " + key.error().message());
  return std::move(*key);
}

std::string spoken_fingerprint(const crypto::public_key& k) {
  const auto hash = crypto::sha256({base::as_bytes("strata identity"), k.octets()});
  std::string text;
  for (std::size_t g = 0; g < groups; ++g) {
    std::uint64_t n = 0;
    for (std::size_t i = 0; i < octets_of_group; ++i) n = n << 8 | hash[g * octets_of_group + i];
    auto digits = std::to_string(n % numbers_of_group);
    digits.insert(0, digits_of_group - digits.size(), '0');
    text += (g == 0 ? "" : " ") + digits;
  }
  return text;
}

}  // namespace strata::mesh
