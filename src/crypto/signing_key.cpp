#include "crypto/signing_key.hpp"

#include <mbedtls/bignum.h>
#include <mbedtls/ecdsa.h>
#include <mbedtls/ecp.h>
#include <mbedtls/platform_util.h>

#include <algorithm>
#include <stdexcept>

#include "crypto/digest.hpp"
#include "crypto/error.hpp"
#include "crypto/hmac.hpp"
#include "crypto/native.hpp"

namespace strata::crypto {
namespace {

constexpr std::size_t scalar_size = 32;

void require(int result, const char* what) {
  if (result < 0) throw std::runtime_error(std::string(what) + ": " + native_error(result));
}

struct number {
  number() { mbedtls_mpi_init(&value); }
  ~number() { mbedtls_mpi_free(&value); }
  number(const number&) = delete;
  number& operator=(const number&) = delete;
  mbedtls_mpi value;
};

struct curve_point {
  curve_point() {
    mbedtls_ecp_group_init(&group);
    mbedtls_ecp_point_init(&point);
  }
  ~curve_point() {
    mbedtls_ecp_point_free(&point);
    mbedtls_ecp_group_free(&group);
  }
  curve_point(const curve_point&) = delete;
  curve_point& operator=(const curve_point&) = delete;

  bool read(base::byte_view octets) {
    return mbedtls_ecp_group_load(&group, MBEDTLS_ECP_DP_SECP256R1) == 0 &&
           mbedtls_ecp_point_read_binary(&group, &point, octets.data(), octets.size()) == 0 &&
           mbedtls_ecp_check_pubkey(&group, &point) == 0;
  }

  mbedtls_ecp_group group;
  mbedtls_ecp_point point;
};

// Blinds the arithmetic against who measures its time; the signature does not depend on it. Secret because the key is.
class blinding {
 public:
  blinding(base::byte_view secret, const sha256_digest& message) : key_(secret), message_(message) {}

  static int fill(void* context, unsigned char* out, std::size_t size) {
    auto& self = *static_cast<blinding*>(context);
    for (base::byte_span rest{out, size}; !rest.empty();) {
      const std::array<std::uint8_t, 4> count{
          static_cast<std::uint8_t>(self.count_ >> 24), static_cast<std::uint8_t>(self.count_ >> 16),
          static_cast<std::uint8_t>(self.count_ >> 8), static_cast<std::uint8_t>(self.count_)};
      ++self.count_;
      const base::byte_view pieces[] = {self.message_, count};
      const auto block = self.key_.sign(pieces);
      const auto n = std::min(rest.size(), block.size());
      std::copy_n(block.begin(), n, rest.begin());
      rest = rest.subspan(n);
    }
    return 0;
  }

 private:
  hmac_sha256_key key_;
  sha256_digest message_;
  std::uint32_t count_ = 0;
};

}  // namespace

base::result<public_key> public_key::from(base::byte_view octets) {
  // The compressed form of SEC 1 has another length: nobody sends it to us.
  if (octets.size() != size || octets[0] != 0x04)
    return base::fail(errc::malformed_public_key, base::error::nowhere, "65 octets, the first of them 4");
  // A point off the curve would give away what is computed with it; nothing secret is, but it is no key either.
  if (!curve_point().read(octets)) return base::fail(errc::malformed_public_key, 1, "a point of the curve P-256");
  public_key k;
  std::ranges::copy(octets, k.octets_.begin());
  return k;
}

bool public_key::verify(base::byte_view data, base::byte_view signature) const noexcept {
  if (signature.size() != 2 * scalar_size) return false;
  curve_point q;
  number r, s;
  const auto hash = sha256(data);
  return q.read(octets_) && mbedtls_mpi_read_binary(&r.value, signature.data(), scalar_size) == 0 &&
         mbedtls_mpi_read_binary(&s.value, signature.data() + scalar_size, scalar_size) == 0 &&
         mbedtls_ecdsa_verify(&q.group, hash.data(), hash.size(), &q.point, &r.value, &s.value) == 0;
}

struct signing_key::parts {
  parts() { mbedtls_pk_init(&key); }
  ~parts() { mbedtls_pk_free(&key); }  // wipes the private key
  parts(const parts&) = delete;
  parts& operator=(const parts&) = delete;

  mbedtls_pk_context key;
};

signing_key signing_key::generate(const random_source& random) {
  auto made = std::make_shared<parts>();
  require(mbedtls_pk_setup(&made->key, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY)), "key");
  require(mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP256R1, mbedtls_pk_ec(made->key), native_random,
                              const_cast<random_source*>(&random)),
          "key");
  return signing_key(std::move(made));
}

base::result<signing_key> signing_key::from_pem(std::string_view text) {
  auto made = std::make_shared<parts>();
  std::string copy(text);  // the parser counts the final zero
  const int parsed =
      mbedtls_pk_parse_key(&made->key, reinterpret_cast<const unsigned char*>(copy.c_str()), copy.size() + 1, nullptr, 0);
  mbedtls_platform_zeroize(copy.data(), copy.size());
  if (parsed != 0 || mbedtls_pk_can_do(&made->key, MBEDTLS_PK_ECDSA) == 0 ||
      mbedtls_pk_ec(made->key)->grp.id != MBEDTLS_ECP_DP_SECP256R1)
    return base::fail(errc::malformed_key, base::error::nowhere, "a private key on the curve P-256");
  return signing_key(std::move(made));
}

std::string signing_key::pem() const {
  std::array<unsigned char, 1024> buffer{};
  require(mbedtls_pk_write_key_pem(&parts_->key, buffer.data(), buffer.size()), "private key as PEM");
  std::string text(reinterpret_cast<const char*>(buffer.data()));
  mbedtls_platform_zeroize(buffer.data(), buffer.size());
  return text;
}

crypto::public_key signing_key::public_key() const {
  const auto& pair = *mbedtls_pk_ec(parts_->key);
  crypto::public_key k;
  std::size_t size = 0;
  require(mbedtls_ecp_point_write_binary(&pair.grp, &pair.Q, MBEDTLS_ECP_PF_UNCOMPRESSED, &size, k.octets_.data(),
                                         k.octets_.size()),
          "public key");
  return k;
}

signature signing_key::sign(base::byte_view data) const {
  auto& pair = *mbedtls_pk_ec(parts_->key);
  std::array<std::uint8_t, scalar_size> secret{};
  require(mbedtls_mpi_write_binary(&pair.d, secret.data(), secret.size()), "signature");
  const auto hash = sha256(data);
  blinding blind(secret, hash);
  mbedtls_platform_zeroize(secret.data(), secret.size());
  number r, s;
  require(mbedtls_ecdsa_sign_det_ext(&pair.grp, &r.value, &s.value, &pair.d, hash.data(), hash.size(), MBEDTLS_MD_SHA256,
                                     blinding::fill, &blind),
          "signature");
  signature out{};
  require(mbedtls_mpi_write_binary(&r.value, out.data(), scalar_size), "signature");
  require(mbedtls_mpi_write_binary(&s.value, out.data() + scalar_size, scalar_size), "signature");
  return out;
}

}  // namespace strata::crypto
