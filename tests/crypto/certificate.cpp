#include "crypto/certificate.hpp"

#include <doctest/doctest.h>
#include <mbedtls/x509_crt.h>

#include <random>

#include "crypto/error.hpp"
#include "crypto/native.hpp"

using namespace strata;
using namespace std::chrono_literals;

namespace {

crypto::random_source seeded(std::uint64_t seed) {
  return [engine = std::mt19937_64(seed)](base::byte_span out) mutable {
    for (auto& octet : out) octet = static_cast<std::uint8_t>(engine());
  };
}

const base::wall_time noon = std::chrono::sys_days(std::chrono::year(2026) / 2 / 28) + 12h;

}  // namespace

TEST_CASE("A generated certificate is self-signed with ECDSA on P-256 and SHA-256, and verifies against itself") {
  const auto made = crypto::certificate::generate(seeded(1), noon);
  auto& crt = made.native().certificate;
  CHECK(crt.version == 3);
  CHECK(crt.sig_md == MBEDTLS_MD_SHA256);
  CHECK(crt.sig_pk == MBEDTLS_PK_ECDSA);
  CHECK(mbedtls_pk_get_bitlen(&crt.pk) == 256);
  CHECK(crt.serial.len <= 20);
  std::uint32_t flags = 0;
  mbedtls_x509_crt_verify(&crt, &crt, nullptr, nullptr, &flags, nullptr, nullptr);
  flags &= ~static_cast<std::uint32_t>(MBEDTLS_X509_BADCERT_EXPIRED | MBEDTLS_X509_BADCERT_FUTURE);
  CHECK(flags == 0);  // the dates depend on the machine's clock, the rest does not
}

TEST_CASE("A certificate is valid from a day before its making until thirty days after") {
  const auto made = crypto::certificate::generate(seeded(1), noon);
  const auto& from = made.native().certificate.valid_from;
  const auto& to = made.native().certificate.valid_to;
  CHECK((from.year == 2026 && from.mon == 2 && from.day == 27 && from.hour == 12));
  CHECK((to.year == 2026 && to.mon == 3 && to.day == 30 && to.hour == 12));
}

// req: 8827-6.5-g
TEST_CASE("Every certificate has a key and a serial number of its own, and the same random bytes give the same one") {
  const auto first = crypto::certificate::generate(seeded(1), noon);
  const auto again = crypto::certificate::generate(seeded(1), noon);
  const auto other = crypto::certificate::generate(seeded(2), noon);
  CHECK(first.fingerprint() == again.fingerprint());
  CHECK_FALSE(first.fingerprint() == other.fingerprint());
  CHECK(first.private_key_pem() == again.private_key_pem());
  CHECK(first.private_key_pem() != other.private_key_pem());
}

TEST_CASE("A certificate survives the way through PEM, and mixed-up or broken text is refused with its own error") {
  const auto one = crypto::certificate::generate(seeded(1), noon);
  const auto two = crypto::certificate::generate(seeded(2), noon);
  const auto back = crypto::certificate::from_pem(one.pem(), one.private_key_pem());
  REQUIRE(back);
  CHECK(back->fingerprint() == one.fingerprint());
  CHECK(crypto::certificate::from_pem("nonsense", one.private_key_pem()).error() ==
        make_error_code(crypto::errc::malformed_certificate));
  CHECK(crypto::certificate::from_pem(one.pem(), "nonsense").error() == make_error_code(crypto::errc::malformed_key));
  CHECK(crypto::certificate::from_pem(one.pem(), two.private_key_pem()).error() == make_error_code(crypto::errc::key_mismatch));
}

TEST_CASE("A certificate names the servers and addresses that were asked for, also when they are many") {
  crypto::certificate_options o;
  for (int i = 0; i < 40; ++i) o.dns_names.push_back("server-" + std::to_string(i) + ".example.org");
  o.addresses = {base::ip_address::v4(192, 0, 2, 1), base::ip_address::loopback(base::ip_family::v6)};
  for (const std::size_t names : {40u, 5u, 1u, 0u}) {
    CAPTURE(names);
    o.dns_names.resize(names);
    const auto made = crypto::certificate::generate(seeded(1), noon, o);
    auto& crt = made.native().certificate;
    std::size_t found = 0;
    for (const auto* n = &crt.subject_alt_names; n != nullptr; n = n->next) {
      if (n->buf.p == nullptr) continue;
      const std::string_view text(reinterpret_cast<const char*>(n->buf.p), n->buf.len);
      if (text.starts_with("server-")) ++found;
    }
    CHECK(found == names);
  }
}
