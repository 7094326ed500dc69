#include "trace/recorder.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>

#include "trace/pcapng.hpp"

namespace strata::trace {
namespace {

constexpr std::size_t most_waiting = 1u << 20;
constexpr auto longest_wait = std::chrono::seconds(2);
constexpr std::size_t most_comments = 512;

}  // namespace

std::string comment_of(base::instant at, const subject_id& connection, const event& e) {
  return fmt::format("+{:.3f} {} | {}", base::milliseconds(at.time_since_epoch()), connection.empty() ? "-" : connection,
                     describe(e));
}

base::result<std::unique_ptr<recorder>> recorder::create(const std::string& path, std::string_view application,
                                                         base::wall_time epoch) {
  // The file holds keys: it belongs to the user alone.
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  std::FILE* f = fd >= 0 ? ::fdopen(fd, "wb") : nullptr;
  if (f == nullptr) return base::fail(std::error_code(errno, std::generic_category()));
  std::unique_ptr<recorder> r(new recorder(f, epoch));
  r->write(pcapng::section_header(application));
  r->write(pcapng::interface_descriptions());
  return r;
}

recorder::~recorder() {
  flush();
  std::fclose(file_);
}

void recorder::on_event(base::instant at, const subject_id& connection, const event& e) {
  if (const auto* s = std::get_if<dtls_secret>(&e)) {
    write(pcapng::decryption_secrets(*s));
    release();
  }
  if (const auto* p = std::get_if<packet>(&e)) return keep(at, pcapng::enhanced_packet(unix_nanoseconds(at), *p, comments_));
  if (const auto* p = std::get_if<inner_packet>(&e))
    return keep(at, pcapng::enhanced_packet(unix_nanoseconds(at), *p, comments_));
  if (comments_.size() < most_comments) comments_.push_back(comment_of(at, connection, e));
}

void recorder::keep(base::instant at, base::bytes block) {
  comments_.clear();
  waiting_bytes_ += block.size();
  waiting_.push_back({at, std::move(block)});
  while (!waiting_.empty() && (waiting_bytes_ > most_waiting || at - waiting_.front().at > longest_wait)) {
    write(waiting_.front().block);
    waiting_bytes_ -= waiting_.front().block.size();
    waiting_.pop_front();
  }
}

void recorder::flush() {
  // Events after the last packet still belong in the file: an empty datagram carries them.
  if (!comments_.empty()) {
    const auto at = waiting_.empty() ? base::instant{} : waiting_.back().at;
    waiting_.push_back({at, pcapng::enhanced_packet(unix_nanoseconds(at), packet{}, comments_)});
    comments_.clear();
  }
  release();
}

void recorder::release() {
  for (const auto& w : waiting_) write(w.block);
  waiting_.clear();
  waiting_bytes_ = 0;
  std::fflush(file_);
}

void recorder::write(base::byte_view block) {
  if (!failed_ && std::fwrite(block.data(), 1, block.size(), file_) != block.size()) failed_ = true;
}

std::uint64_t recorder::unix_nanoseconds(base::instant at) const {
  return static_cast<std::uint64_t>((epoch_.time_since_epoch() + at.time_since_epoch()).count());
}

}  // namespace strata::trace
