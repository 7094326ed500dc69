// The program's side of the local socket: what meshctl uses, and what a program in C++ may use.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "async/task.hpp"
#include "base/json.hpp"
#include "mesh/ipc_line.hpp"
#include "net/host.hpp"

namespace strata::mesh {

struct ipc_event {
  std::string type;
  base::json payload;
};

class ipc_client {
 public:
  static async::task<base::result<std::unique_ptr<ipc_client>>> attach(net::host& h, std::string path);

  async::task<base::result<void>> command(std::string type, base::json payload);
  // The next event; errc::closed when meshd has ended the connection.
  async::task<base::result<ipc_event>> next();

 private:
  explicit ipc_client(std::unique_ptr<net::stream> s) : stream_(std::move(s)) {}
  std::unique_ptr<net::stream> stream_;
  line_splitter lines_{longest_line};
};

}  // namespace strata::mesh
