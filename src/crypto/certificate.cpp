#include "crypto/certificate.hpp"

#include <mbedtls/bignum.h>
#include <mbedtls/ecp.h>
#include <mbedtls/pem.h>

#include <array>
#include <cstdio>
#include <stdexcept>

#include "crypto/error.hpp"
#include "crypto/native.hpp"

namespace strata::crypto {
namespace {

// Nothing here depends on a peer, so a failure means that memory or the library is broken.
void require(int result, const char* what) {
  if (result < 0) throw std::runtime_error(std::string(what) + ": " + native_error(result));
}

// mbedTLS's form of a date: YYYYMMDDhhmmss, UTC.
std::string date_text(base::wall_time at) {
  const auto second = std::chrono::floor<std::chrono::seconds>(at);
  const auto day = std::chrono::floor<std::chrono::days>(second);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(second - day);
  std::array<char, 48> text{};
  std::snprintf(text.data(), text.size(), "%04d%02u%02u%02d%02d%02d", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), static_cast<int>(clock.hours().count()),
                static_cast<int>(clock.minutes().count()), static_cast<int>(clock.seconds().count()));
  return text.data();
}

//   SubjectAltName ::= SEQUENCE OF GeneralName       RFC 5280 §4.2.1.6, in DER
//   GeneralName: [2] IA5String, a DNS name; [7] OCTET STRING, 4 or 16 octets of an address
base::bytes alternative_names(const certificate_options& options) {
  constexpr std::uint8_t sequence = 0x30, dns_name = 0x82, address = 0x87;
  const auto add = [](base::bytes& out, std::uint8_t tag, std::span<const std::uint8_t> content) {
    out.push_back(tag);
    if (content.size() >= 0x100) out.insert(out.end(), {0x82, static_cast<std::uint8_t>(content.size() >> 8)});
    else if (content.size() >= 0x80) out.push_back(0x81);
    out.push_back(static_cast<std::uint8_t>(content.size()));
    out.insert(out.end(), content.begin(), content.end());
  };
  base::bytes names, all;
  for (const auto& n : options.dns_names) add(names, dns_name, {reinterpret_cast<const std::uint8_t*>(n.data()), n.size()});
  for (const auto& a : options.addresses) add(names, address, a.octets());
  add(all, sequence, names);
  return all;
}

class certificate_writer {
 public:
  certificate_writer() {
    mbedtls_x509write_crt_init(&crt_);
    mbedtls_mpi_init(&serial_);
  }
  ~certificate_writer() {
    mbedtls_mpi_free(&serial_);
    mbedtls_x509write_crt_free(&crt_);
  }
  certificate_writer(const certificate_writer&) = delete;
  certificate_writer& operator=(const certificate_writer&) = delete;

  base::bytes write(mbedtls_pk_context& key, const random_source& random, base::wall_time now,
                    const certificate_options& options) {
    const std::string name = "CN=" + options.common_name;
    const std::string not_before = date_text(now - options.backdated);
    const std::string not_after = date_text(now + options.lifetime);
    // RFC 5280 §4.1.2.2: a positive number of at most 20 octets. Random, so that it tells nothing and repeats never.
    std::array<std::uint8_t, 16> serial{};
    random(serial);
    serial[0] = static_cast<std::uint8_t>((serial[0] & 0x7f) | 0x40);

    mbedtls_x509write_crt_set_version(&crt_, MBEDTLS_X509_CRT_VERSION_3);
    mbedtls_x509write_crt_set_md_alg(&crt_, MBEDTLS_MD_SHA256);
    mbedtls_x509write_crt_set_subject_key(&crt_, &key);
    mbedtls_x509write_crt_set_issuer_key(&crt_, &key);
    require(mbedtls_x509write_crt_set_subject_name(&crt_, name.c_str()), "certificate subject");
    require(mbedtls_x509write_crt_set_issuer_name(&crt_, name.c_str()), "certificate issuer");
    require(mbedtls_x509write_crt_set_validity(&crt_, not_before.c_str(), not_after.c_str()), "certificate dates");
    require(mbedtls_mpi_read_binary(&serial_, serial.data(), serial.size()), "certificate serial");
    require(mbedtls_x509write_crt_set_serial(&crt_, &serial_), "certificate serial");

    if (!options.dns_names.empty() || !options.addresses.empty()) {
      constexpr std::string_view subject_alt_name("\x55\x1d\x11");  // 2.5.29.17
      const auto names = alternative_names(options);
      require(mbedtls_x509write_crt_set_extension(&crt_, subject_alt_name.data(), subject_alt_name.size(), 0, names.data(),
                                                  names.size()),
              "certificate names");
    }

    std::array<std::uint8_t, 4096> buffer{};
    const int size =
        mbedtls_x509write_crt_der(&crt_, buffer.data(), buffer.size(), native_random, const_cast<random_source*>(&random));
    require(size, "certificate");
    return {buffer.end() - size, buffer.end()};  // written from the end of the buffer backwards
  }

 private:
  mbedtls_x509write_cert crt_;
  mbedtls_mpi serial_;
};

}  // namespace

certificate certificate::generate(const random_source& random, base::wall_time now, const certificate_options& options) {
  auto made = std::make_shared<parts>();
  require(mbedtls_pk_setup(&made->key, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY)), "key");
  require(mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP256R1, mbedtls_pk_ec(made->key), native_random,
                              const_cast<random_source*>(&random)),
          "key");
  const base::bytes der = certificate_writer().write(made->key, random, now, options);
  require(mbedtls_x509_crt_parse_der(&made->certificate, der.data(), der.size()), "certificate");
  return certificate(std::move(made));
}

base::result<certificate> certificate::from_pem(std::string_view certificate_pem, std::string_view key_pem) {
  auto made = std::make_shared<parts>();
  const std::string certificate_text(certificate_pem), key_text(key_pem);  // the parsers count the final zero
  if (mbedtls_x509_crt_parse(&made->certificate, reinterpret_cast<const unsigned char*>(certificate_text.c_str()),
                             certificate_text.size() + 1) != 0)
    return base::fail(errc::malformed_certificate);
  if (mbedtls_pk_parse_key(&made->key, reinterpret_cast<const unsigned char*>(key_text.c_str()), key_text.size() + 1, nullptr,
                           0) != 0 ||
      mbedtls_pk_can_do(&made->key, MBEDTLS_PK_ECDSA) == 0 || mbedtls_pk_ec(made->key)->grp.id != MBEDTLS_ECP_DP_SECP256R1)
    return base::fail(errc::malformed_key, base::error::nowhere, "a private key on the curve P-256");
  if (mbedtls_pk_check_pair(&made->certificate.pk, &made->key) != 0) return base::fail(errc::key_mismatch);
  return certificate(std::move(made));
}

base::byte_view certificate::der() const noexcept { return {parts_->certificate.raw.p, parts_->certificate.raw.len}; }

std::string certificate::pem() const {
  std::array<unsigned char, 4096> text{};
  std::size_t size = 0;
  require(mbedtls_pem_write_buffer("-----BEGIN CERTIFICATE-----\n", "-----END CERTIFICATE-----\n", parts_->certificate.raw.p,
                                   parts_->certificate.raw.len, text.data(), text.size(), &size),
          "certificate as PEM");
  return reinterpret_cast<const char*>(text.data());
}

std::string certificate::private_key_pem() const {
  std::array<unsigned char, 1024> text{};
  require(mbedtls_pk_write_key_pem(&parts_->key, text.data(), text.size()), "private key as PEM");
  return reinterpret_cast<const char*>(text.data());
}

crypto::fingerprint certificate::fingerprint(hash_function h) const { return fingerprint_of(der(), h); }

}  // namespace strata::crypto
