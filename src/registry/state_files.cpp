#include "registry/state_files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/hex.hpp"
#include "base/json.hpp"
#include "registry/credentials.hpp"
#include "registry/jwt.hpp"
#include "signaling/message.hpp"

namespace strata::registry {
namespace {

std::string trouble_with(const std::string& path) { return path + ": " + std::strerror(errno); }

// A descriptor that closes itself.
class file {
 public:
  file(const std::string& path, int flags, unsigned mode = 0) : fd_(::open(path.c_str(), flags | O_CLOEXEC, mode)) {}
  ~file() {
    if (fd_ >= 0) ::close(fd_);
  }
  file(const file&) = delete;
  file& operator=(const file&) = delete;
  explicit operator bool() const noexcept { return fd_ >= 0; }
  int operator*() const noexcept { return fd_; }

 private:
  int fd_;
};

}  // namespace

told<std::string> read_file(const std::string& path) {
  const file f(path, O_RDONLY);
  if (!f) return tl::unexpected(trouble_with(path));
  std::string text;
  std::array<char, 65536> buffer;
  for (;;) {
    const auto n = ::read(*f, buffer.data(), buffer.size());
    if (n < 0) return tl::unexpected(trouble_with(path));
    if (n == 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(n));
    if (text.size() > 64u << 20) return tl::unexpected(path + ": larger than 64 MiB");
  }
}

std::string write_file(const std::string& path, std::string_view text, unsigned mode) {
  const auto beside = path + ".new";
  ::unlink(beside.c_str());
  {
    const file f(beside, O_WRONLY | O_CREAT | O_EXCL, mode);
    if (!f) return trouble_with(beside);
    while (!text.empty()) {
      const auto n = ::write(*f, text.data(), text.size());
      if (n < 0) return trouble_with(beside);
      text.remove_prefix(static_cast<std::size_t>(n));
    }
    if (::fsync(*f) != 0) return trouble_with(beside);
  }
  return ::rename(beside.c_str(), path.c_str()) == 0 ? std::string() : trouble_with(path);
}

namespace {

// The secret of that name in the directory, which is made (0700, the file 0600) when it is missing.
told<base::bytes> kept_secret(net::host& h, const std::string& directory, const std::string& name) {
  const auto path = directory + "/" + name;
  std::error_code trouble;
  if (!std::filesystem::exists(path, trouble)) {
    std::filesystem::create_directories(directory, trouble);
    if (trouble) return tl::unexpected(directory + ": " + trouble.message());
    ::chmod(directory.c_str(), 0700);
    base::bytes fresh(shortest_key);
    h.random(fresh);
    if (auto failed = write_file(path, base::to_hex(fresh) + "\n", 0600); !failed.empty())
      return tl::unexpected(std::move(failed));
  }
  const auto text = read_file(path);
  if (!text) return tl::unexpected(text.error());
  auto secret = base::from_hex(*text);
  if (!secret || secret->size() < shortest_key)
    return tl::unexpected(path + ": not a secret of at least 32 octets in hexadecimal");
  return std::move(*secret);
}

}  // namespace

told<base::bytes> token_secret(net::host& h, const std::string& given, const std::string& directory) {
  if (!given.empty()) {
    if (given.size() < shortest_key)
      return tl::unexpected(std::string("SIGNALING_SECRET is too short: at least 32 characters"));
    return base::to_bytes(given);
  }
  return kept_secret(h, directory, "token-secret");
}

told<std::string> turn_secret(net::host& h, const std::string& directory) {
  return kept_secret(h, directory, "turn-secret").map([](const base::bytes& secret) { return base::to_hex(secret); });
}

told<std::string> add_key(net::host& h, const std::string& keys_file, const std::string& peer, const std::string& role) {
  if (keys_file.empty()) return tl::unexpected(std::string("--keys FILE says which file to add to"));
  if (!signaling::valid_peer_id(peer)) return tl::unexpected("'" + peer + "' is no peer id: 1 to 128 visible ASCII characters");
  base::json all = base::json::make({{"keys", base::json::object()}});
  if (std::error_code unused; std::filesystem::exists(keys_file, unused)) {
    const auto text = read_file(keys_file);
    if (!text) return tl::unexpected(text.error());
    const auto v = base::json::parse(*text);
    if (!v || !v->is_object()) return tl::unexpected(keys_file + ": not a JSON object");
    all = v->find("keys") != nullptr ? *v : base::json::make({{"keys", *v}});
  }
  base::bytes random(16);
  h.random(random);
  const auto key = "ak_" + base::to_hex(random);
  auto keys = *all.find("keys");
  if (!keys.is_object()) return tl::unexpected(keys_file + ": \"keys\" is not an object");
  keys.set(key, base::json::make({{"peer_id", peer}, {"role", role}}));
  all.set("keys", std::move(keys));
  if (auto failed = write_file(keys_file, all.dump() + "\n", 0600); !failed.empty()) return tl::unexpected(std::move(failed));
  return key;
}

}  // namespace strata::registry
