#include "mesh/ipc_server.hpp"

#include <algorithm>
#include <array>

namespace strata::mesh {
namespace {

constexpr std::size_t largest_write = 256 * 1024;
constexpr std::size_t most_programs = 64;

// Takes a session off the list however its serving ends.
class listed {
 public:
  listed(std::vector<std::shared_ptr<ipc_session>>& list, std::shared_ptr<ipc_session> s)
      : list_(list), session_(std::move(s)) {
    list_.push_back(session_);
  }
  ~listed() {
    session_->end();
    std::erase(list_, session_);
  }
  listed(const listed&) = delete;
  listed& operator=(const listed&) = delete;

 private:
  std::vector<std::shared_ptr<ipc_session>>& list_;
  std::shared_ptr<ipc_session> session_;
};

}  // namespace

async::task<bool> ipc_session::tell(std::string line) { co_return co_await outgoing_.send(std::move(line)); }

async::task<> ipc_session::write_lines() {
  while (auto line = co_await outgoing_.receive()) {
    std::string batch = std::move(*line);
    batch.push_back('\n');
    while (batch.size() < largest_write) {
      auto more = outgoing_.try_receive();
      if (!more) break;
      batch += *more;
      batch.push_back('\n');
    }
    if (const auto written = co_await stream_->write(base::as_bytes(batch)); !written) co_return;
  }
}

ipc_server::ipc_server(net::host& h, std::string path, handlers hs, trace::tracer t)
    : host_(h), path_(std::move(path)), handlers_(std::move(hs)), tracer_(std::move(t)) {}

base::result<void> ipc_server::listen() {
  auto l = host_.listen_local(path_);
  if (!l) return base::fail(l.error());
  listener_ = std::move(*l);
  return {};
}

async::task<> ipc_server::run() {
  co_await async::with_scope(async::at_end::cancel, [this](async::scope& s) -> async::task<> {
    for (;;) {
      auto accepted = co_await listener_->accept();
      if (!accepted) co_return;
      if (sessions_.size() >= most_programs) continue;  // dropping the stream closes it
      s.spawn(
          "ipc session", [this](std::shared_ptr<ipc_session> session) { return serve(std::move(session)); },
          std::make_shared<ipc_session>(std::move(*accepted)));
    }
  });
}

async::task<> ipc_server::serve(std::shared_ptr<ipc_session> s) {
  const listed on_list(sessions_, s);
  ++counters_.attached;
  tracer_(host_.now(), trace::note{trace::layer::mesh, "ipc", "a program attached"});
  handlers_.on_attached(*s);
  while (!replay_.empty() && s->try_tell(replay_.front())) {
    replay_bytes_ -= replay_.front().size();
    replay_.pop_front();
    ++counters_.replayed;
  }
  co_await async::first_of(read_commands(*s), s->write_lines());
  tracer_(host_.now(), trace::note{trace::layer::mesh, "ipc", "a program left"});
}

async::task<> ipc_server::read_commands(ipc_session& s) {
  line_splitter lines;
  std::array<std::uint8_t, 65536> buffer;
  for (;;) {
    const auto n = co_await s.stream_->read(buffer);
    if (!n || *n == 0) co_return;
    lines.feed(base::byte_view(buffer).first(*n));
    while (auto line = lines.next()) {
      auto c = *line ? parse_command(**line) : base::result<command>(base::fail(line->error()));
      if (!c) {
        ++counters_.bad_lines;
        tracer_(host_.now(), trace::drop{trace::layer::mesh, "bad ipc line", {}, *line ? (*line)->size() : 0});
        s.try_tell(*event_line("error", base::json::make({{"error", c.error().message()}})));
        continue;
      }
      ++counters_.commands;
      co_await handlers_.on_command(s, std::move(*c));
    }
  }
}

async::task<bool> ipc_server::deliver(std::string line) {
  if (sessions_.empty()) {
    if (replay_bytes_ + line.size() > ipc_replay_bytes) {
      ++counters_.overflowed;
      co_return false;
    }
    replay_bytes_ += line.size();
    replay_.push_back(std::move(line));
    co_return true;
  }
  const auto now_attached = sessions_;  // the list may change while we wait
  bool reached = false;
  for (const auto& s : now_attached)
    if (co_await s->tell(line)) reached = true;
  if (reached) ++counters_.delivered;
  co_return reached;
}

void ipc_server::announce(const std::string& line) {
  for (const auto& s : sessions_)
    if (!s->try_tell(line)) ++counters_.overflowed;
}

}  // namespace strata::mesh
