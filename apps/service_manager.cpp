#include "service_manager.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include <fmt/format.h>

namespace strata::apps {
namespace {

std::string_view environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : std::string_view();
}

std::optional<long long> number(std::string_view text) {
  long long value = 0;
  const auto [end, trouble] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || trouble != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

int connected_to(std::string_view path) {
  sockaddr_un address{};
  // "@name" is an address without a file: its first octet is 0, and its length is all that ends it.
  if (path.empty() || (path.front() != '/' && path.front() != '@') || path.size() >= sizeof address.sun_path) return -1;
  const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -1;
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  if (path.front() == '@') address.sun_path[0] = '\0';
  const auto length = offsetof(sockaddr_un, sun_path) + path.size() + (path.front() == '@' ? 0 : 1);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), static_cast<socklen_t>(length)) == 0) return fd;
  ::close(fd);
  return -1;
}

}  // namespace

service_manager::service_manager() : socket_(connected_to(environment("NOTIFY_SOCKET"))) {
  const auto pid = number(environment("WATCHDOG_PID"));
  if (pid && *pid != ::getpid()) return;  // inherited from somebody else's environment
  if (const auto microseconds = number(environment("WATCHDOG_USEC")); socket_ >= 0 && microseconds && *microseconds > 0)
    watchdog_ = std::chrono::microseconds(*microseconds);
}

service_manager::~service_manager() {
  if (socket_ >= 0) ::close(socket_);
}

void service_manager::ready(std::string_view status) const { send(fmt::format("READY=1\nSTATUS={}", status)); }

void service_manager::reloading() const {
  timespec t{};
  ::clock_gettime(CLOCK_MONOTONIC, &t);
  // Type=notify-reload wants the time, to tell this reload from one before.
  send(fmt::format("RELOADING=1\nMONOTONIC_USEC={}", static_cast<long long>(t.tv_sec) * 1'000'000 + t.tv_nsec / 1000));
}

void service_manager::stopping() const { send("STOPPING=1\nSTATUS=finishing what has begun"); }

void service_manager::alive() const { send("WATCHDOG=1"); }

void service_manager::send(std::string_view message) const {
  // A manager that does not read is its own trouble: nothing here waits for it.
  if (socket_ >= 0) (void)::send(socket_, message.data(), message.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

}  // namespace strata::apps
