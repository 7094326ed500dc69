// One connection of a server, from accept to close.
#pragma once

#include <memory>

#include "http/server.hpp"
#include "http/stream_reader.hpp"

namespace strata::http {

class server_connection {
 public:
  server_connection(server& s, std::unique_ptr<net::stream> stream)
      : server_(s), options_(s.options_), remote_(stream->remote_endpoint()), reader_(std::move(stream)) {}

  async::task<> run();

 private:
  enum class next : std::uint8_t { request, close, gone };

  async::task<next> exchange(bool first);
  async::task<base::result<request_head>> receive_head(bool first, bool& ended);
  async::task<base::result<void>> receive_body(const request_head& head, request& into);
  async::task<response> ask_handler(const request& r);
  async::task<next> answer(const request& r, response answer, bool keep);
  async::task<next> refuse(const base::error& why, bool head_request = false);
  async::task<next> upgrade(const request& r, response answer);
  async::task<bool> write(std::string text);

  server& server_;
  const server_options& options_;
  base::endpoint remote_;
  stream_reader reader_;
};

}  // namespace strata::http
