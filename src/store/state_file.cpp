#include "store/state_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <utility>

#include "store/error.hpp"
#include "store/files.hpp"

namespace strata::store {
namespace {

base::error from_errno(int number) {
  switch (number) {
    case ENOSPC:
    case EDQUOT: return errc::disk_full;
    case EACCES:
    case EPERM:
    case EROFS: return errc::read_only;
    case ENOENT:
    case ENOTDIR: return errc::directory;
    case EWOULDBLOCK: return errc::locked;
    default: return errc::io;
  }
}

// A new name is on the disk when the folder that holds it has been flushed.
void flush_folder(const std::filesystem::path& folder) {
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  ::fsync(fd);
  ::close(fd);
}

}  // namespace

base::result<state_file> state_file::claim(const std::string& path) {
  auto folder = std::filesystem::path(path).parent_path();
  if (folder.empty()) folder = ".";
  if (!make_private_directory(folder.string()).empty()) return base::fail(errc::directory);
  const int lock = ::open((path + ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (lock < 0) return base::fail(from_errno(errno));
  state_file claimed(lock);
  if (::flock(lock, LOCK_EX | LOCK_NB) != 0) return base::fail(from_errno(errno));
  // The log beside the file is made and removed all the time, so the folder must be writable for good.
  if (::access(folder.c_str(), W_OK | X_OK) != 0) return base::fail(from_errno(errno));

  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return base::fail(from_errno(errno));
  struct stat about{};
  const bool known = ::fstat(fd, &about) == 0;
  const bool regular = known && S_ISREG(about.st_mode);
  // The engine gives what it makes beside the file the file's own rights.
  if (regular && (about.st_mode & 077) != 0) ::fchmod(fd, 0600);
  ::close(fd);
  if (!regular) return base::fail(errc::corrupt);
  flush_folder(folder);
  flush_folder(folder / "..");
  return claimed;
}

state_file::state_file(state_file&& other) noexcept : lock_(std::exchange(other.lock_, -1)) {}

state_file::~state_file() {
  if (lock_ >= 0) ::close(lock_);
}

}  // namespace strata::store
