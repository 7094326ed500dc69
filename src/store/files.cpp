#include "store/files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

namespace strata::store {
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

std::string make_private_directory(const std::string& path) {
  std::error_code trouble;
  if (std::filesystem::is_directory(path, trouble)) return {};
  const auto whole = std::filesystem::path(path);
  const auto folder = whole.has_filename() ? whole : whole.parent_path();  // "state/" means "state"
  if (const auto above = folder.parent_path(); !above.empty()) {
    std::filesystem::create_directories(above, trouble);
    if (trouble) return above.string() + ": " + trouble.message();
  }
  // Private from its first moment on, not only after a chmod.
  return ::mkdir(folder.c_str(), 0700) == 0 || errno == EEXIST ? std::string() : trouble_with(path);
}

}  // namespace strata::store
