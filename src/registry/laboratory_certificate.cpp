#include "registry/laboratory_certificate.hpp"

#include <unistd.h>

#include <array>
#include <filesystem>

#include "crypto/certificate.hpp"
#include "crypto/error.hpp"

namespace strata::registry {
namespace {

constexpr auto ten_years = 3650 * std::chrono::hours(24);

crypto::certificate_options options_for(net::host& h, const std::vector<base::endpoint>& listens) {
  crypto::certificate_options o;
  o.common_name = "strata laboratory";
  o.lifetime = ten_years;
  o.dns_names = {"localhost"};
  if (std::array<char, 256> name{}; ::gethostname(name.data(), name.size() - 1) == 0 && name[0] != '\0')
    o.dns_names.emplace_back(name.data());
  o.addresses = {base::ip_address::loopback(base::ip_family::v4), base::ip_address::loopback(base::ip_family::v6)};
  bool every = false;
  for (const auto& l : listens) {
    if (l.address.is_unspecified()) every = true;
    else if (!l.address.is_loopback()) o.addresses.push_back(l.address);
  }
  constexpr std::size_t most = 32;
  if (every)
    for (const auto& i : h.interfaces())
      if (!i.loopback && o.addresses.size() < most) o.addresses.push_back(i.address);
  return o;
}

}  // namespace

told<laboratory_certificate> kept_certificate(net::host& h, const std::string& directory,
                                              const std::vector<base::endpoint>& listens) {
  laboratory_certificate kept;
  kept.certificate_file = directory + "/tls-self-signed.crt";
  kept.key_file = directory + "/tls-self-signed.key";
  std::error_code unused;
  kept.fresh = !std::filesystem::exists(kept.certificate_file, unused) || !std::filesystem::exists(kept.key_file, unused);
  if (kept.fresh) {
    if (auto failed = store::make_private_directory(directory); !failed.empty()) return tl::unexpected(std::move(failed));
    const auto made =
        crypto::certificate::generate([&h](base::byte_span out) { h.random(out); }, h.wall_now(), options_for(h, listens));
    if (auto failed = write_file(kept.key_file, made.private_key_pem(), 0600); !failed.empty())
      return tl::unexpected(std::move(failed));
    if (auto failed = write_file(kept.certificate_file, made.pem(), 0644); !failed.empty())
      return tl::unexpected(std::move(failed));
  }
  const auto certificate = read_file(kept.certificate_file), key = read_file(kept.key_file);
  if (!certificate) return tl::unexpected(certificate.error());
  if (!key) return tl::unexpected(key.error());
  const auto read = crypto::certificate::from_pem(*certificate, *key);
  if (!read) return tl::unexpected(kept.certificate_file + ": " + read.error().message());
  kept.fingerprint = crypto::format(read->fingerprint());
  return kept;
}

}  // namespace strata::registry
