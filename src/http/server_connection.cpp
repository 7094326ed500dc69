#include "http/server_connection.hpp"

#include <algorithm>
#include <exception>

#include "http/date.hpp"
#include "http/grammar.hpp"

namespace strata::http {
namespace {

async::task<> until(async::event& e) { co_await e.wait(); }

}  // namespace

async::task<> server_connection::run() {
  if (options_.wrap) {
    auto wrapped = co_await async::with_timeout(options_.head_time, options_.wrap(reader_.take_stream()));
    if (!wrapped) {
      server_.tracer_(server_.host_.now(), trace::drop{trace::layer::http, "TLS handshake failed", remote_, 0});
      co_return;
    }
    reader_ = stream_reader(std::move(*wrapped));
  }
  for (std::size_t n = 0;; ++n) {
    const auto what = co_await exchange(n == 0);
    if (what == next::gone) co_return;
    // RFC 9112 §9.6: after a close was announced nothing more is read as a request.
    if (what == next::close || n + 1 >= options_.max_requests_per_connection || server_.draining_.is_set()) break;
  }
  co_await linger(reader_.stream());
}

async::task<server_connection::next> server_connection::exchange(bool first) {
  bool ended = false;
  auto head = co_await receive_head(first, ended);
  if (ended) co_return next::close;
  if (!head) co_return co_await refuse(head.error());
  const bool head_request = head->method == "HEAD";

  request r;
  r.method = head->method;
  r.minor_version = head->minor_version;
  r.remote = remote_;
  r.secure = options_.secure;
  if (const auto target = read_target(head->target, head->method, r); !target) co_return co_await refuse(target.error());
  const auto body = co_await receive_body(*head, r);
  if (!body) co_return co_await refuse(body.error(), head_request);
  r.headers = std::move(head->headers);
  ++server_.counters_.requests;

  bool keep = head->keep_alive && !server_.draining_.is_set();
  if (!is_known_method(r.method)) {
    ++server_.counters_.bad_requests;
    co_return co_await answer(r, response::text(501, "this method is not known here\n"), keep);
  }
  auto reply = co_await ask_handler(r);
  if (reply.status == 101) co_return co_await upgrade(r, std::move(reply));
  keep = keep && !server_.draining_.is_set();
  co_return co_await answer(r, std::move(reply), keep);
}

// `ended`: there was no request, and nobody waits for an answer.
async::task<base::result<request_head>> server_connection::receive_head(bool first, bool& ended) {
  const auto idle = first ? options_.head_time : options_.idle_time;
  auto [octets, drained] =
      co_await async::first_of(reader_.read_head(options_.head, idle, options_.head_time), until(server_.draining_));
  if (!octets) {  // drained while it waited
    ended = true;
    co_return request_head();
  }
  if (!*octets) {
    ended = octets->error().code.category() != http_category();  // the connection broke
    co_return base::fail(octets->error());
  }
  if (!**octets) {
    ended = true;
    co_return request_head();
  }
  co_return parse_request_head(***octets, options_.head);
}

async::task<base::result<void>> server_connection::receive_body(const request_head& head, request& into) {
  if (head.body.how == framing::kind::length && head.body.length > options_.body.bytes)
    co_return base::fail(errc::body_too_large);
  // RFC 9110 §10.1.1: the client waits for a word before it sends a body that might be refused.
  const bool waits = head.body.how != framing::kind::none && head.minor_version >= 1 && reader_.buffered().empty() &&
                     equal_ignoring_case(head.headers.get("Expect"), "100-continue");
  if (waits) {
    const bool written = co_await write("HTTP/1.1 100 Continue\r\n\r\n");
    if (!written) co_return base::fail(base::errc::closed);
  }
  auto body = co_await reader_.read_body(head.body, options_.body);
  if (!body) co_return base::fail(body.error());
  into.body = std::move(*body);
  co_return base::result<void>();
}

async::task<response> server_connection::ask_handler(const request& r) {
  try {
    co_return co_await server_.handlers_.on_request(r);
  } catch (const std::exception& e) {
    server_.tracer_(server_.host_.now(), trace::note{trace::layer::http, "handler failed", e.what()});
  }
  ++server_.counters_.handler_failures;
  co_return response::text(500, "the server failed to answer\n");
}

async::task<server_connection::next> server_connection::answer(const request& r, response reply, bool keep) {
  if (reply.status < 200 || reply.status > 999 || !reply.headers.valid()) {
    ++server_.counters_.handler_failures;
    reply = response::text(500, "the server failed to answer\n");
  }
  const bool bodyless = has_no_body(reply.status);
  // These three say what we do on the connection, not what the handler wishes.
  for (const auto* name : {"Content-Length", "Transfer-Encoding", "Connection"})
    if (!(r.method == "HEAD" && std::string_view(name) == "Content-Length" && reply.body.empty())) reply.headers.remove(name);
  if (reply.status == 426) reply.headers.add("Connection", "Upgrade");  // RFC 9110 §7.8
  if (!keep) reply.headers.add("Connection", "close");
  else if (r.minor_version == 0) reply.headers.add("Connection", "keep-alive");
  if (!bodyless && !reply.headers.contains("Content-Length"))
    reply.headers.add("Content-Length", std::to_string(reply.body.size()));
  if (!reply.headers.contains("Date")) reply.headers.add("Date", format_date(server_.host_.wall_now()));
  auto text = format_response_head(reply.status, reply.headers);
  // RFC 9110 §9.3.2: HEAD gets the fields of GET and nothing more.
  if (!bodyless && r.method != "HEAD") text += reply.body;
  const bool written = co_await write(std::move(text));
  if (!written) co_return next::gone;
  co_return keep ? next::request : next::close;
}

async::task<server_connection::next> server_connection::refuse(const base::error& why, bool head_request) {
  if (why.code.category() != http_category()) co_return next::gone;
  ++server_.counters_.bad_requests;
  server_.tracer_(server_.host_.now(), trace::drop{trace::layer::http, why.code.message(), remote_, 0});
  request r;
  r.method = head_request ? "HEAD" : "GET";
  auto reply = response::text(status_of(why.code), why.message() + "\n");
  co_return co_await answer(r, std::move(reply), false);
}

async::task<server_connection::next> server_connection::upgrade(const request& r, response reply) {
  // A 101 that nobody asked for, or that nobody would serve, is the handler's mistake.
  if (!asks_for_websocket(r) || !server_.handlers_.on_websocket || !reply.headers.contains("Sec-WebSocket-Accept") ||
      !reply.headers.valid()) {
    reply = response();
    reply.status = 500;
    ++server_.counters_.handler_failures;
    co_return co_await answer(r, std::move(reply), false);
  }
  const bool written = co_await write(format_response_head(101, reply.headers));
  if (!written) co_return next::gone;
  ++server_.counters_.websockets;
  auto rest = reader_.take_buffered();
  websocket ws(server_.host_, reader_.take_stream(), std::move(rest), websocket_role::server, options_.websocket,
               server_.tracer_);
  ws.set_subprotocol(std::string(reply.headers.get("Sec-WebSocket-Protocol")));
  co_await async::with_scope(async::at_end::cancel, [this, &r, &ws](async::scope& s) -> async::task<> {
    s.spawn("websocket", [&ws] { return ws.run(); });
    s.spawn("websocket drain", [this, &ws]() -> async::task<> {
      co_await server_.draining_.wait();
      ws.start_close(static_cast<std::uint16_t>(close_code::going_away), "the server is going away");
    });
    bool failed = false;
    try {
      co_await server_.handlers_.on_websocket(r, ws);
    } catch (const std::exception& e) {
      failed = true;
      ++server_.counters_.handler_failures;
      server_.tracer_(server_.host_.now(), trace::note{trace::layer::http, "websocket handler failed", e.what()});
    }
    co_await ws.close(static_cast<std::uint16_t>(failed ? close_code::internal_error : close_code::normal));
  });
  co_return next::gone;
}

async::task<bool> server_connection::write(std::string text) {
  const auto earned = std::chrono::milliseconds(text.size() * 1000 / std::max<std::size_t>(options_.body.least_rate, 1));
  const auto written =
      co_await async::with_timeout(options_.write_grace + earned, reader_.stream().write(base::as_bytes(text)));
  co_return written.has_value();
}

}  // namespace strata::http
