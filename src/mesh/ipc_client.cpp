#include "mesh/ipc_client.hpp"

#include <array>

namespace strata::mesh {

async::task<base::result<std::unique_ptr<ipc_client>>> ipc_client::attach(net::host& h, std::string path) {
  auto s = co_await h.connect_local(std::move(path));
  if (!s) co_return base::fail(s.error());
  co_return std::unique_ptr<ipc_client>(new ipc_client(std::move(*s)));
}

async::task<base::result<void>> ipc_client::command(std::string type, base::json payload) {
  const auto line = command_line(type, std::move(payload));
  co_return co_await stream_->write(base::as_bytes(line));
}

async::task<base::result<ipc_event>> ipc_client::next() {
  std::array<std::uint8_t, 16384> buffer;
  for (;;) {
    if (auto line = lines_.next()) {
      if (!*line) co_return base::fail(line->error());
      auto v = base::json::parse(**line);
      if (!v) co_return base::fail(v.error());
      ipc_event e{std::string(v->text("type")), {}};
      if (const auto* p = v->find("payload")) e.payload = *p;
      co_return e;
    }
    const auto n = co_await stream_->read(buffer);
    if (!n) co_return base::fail(n.error());
    if (*n == 0) co_return base::fail(base::errc::closed);
    lines_.feed(base::byte_view(buffer).first(*n));
  }
}

}  // namespace strata::mesh
