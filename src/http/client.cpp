#include "http/client.hpp"

#include "http/grammar.hpp"

namespace strata::http {
namespace {

constexpr int most_interim = 8;  // 1xx responses before the real one

bool wants_length(const outgoing_request& r) {
  return !r.body.empty() || r.method == "POST" || r.method == "PUT" || r.method == "PATCH";
}

async::task<base::result<response>> exchange(net::host& h, outgoing_request r, fetch_options o) {
  // What would be another request than the caller means is not sent at all.
  if (!is_token(r.method) || !r.headers.valid()) co_return base::fail(errc::bad_field);
  fields headers;
  headers.add("Host", r.url.authority());
  for (const auto& [name, value] : r.headers)
    if (!equal_ignoring_case(name, "Host") && !equal_ignoring_case(name, "Content-Length") &&
        !equal_ignoring_case(name, "Connection") && !equal_ignoring_case(name, "Transfer-Encoding"))
      headers.add(name, value);
  if (wants_length(r)) headers.add("Content-Length", std::to_string(r.body.size()));
  headers.add("Connection", "close");

  auto connected = co_await connect(h, r.url, o.tls);
  if (!connected) co_return base::fail(connected.error());
  stream_reader reader(std::move(*connected));
  const auto text = format_request_head(r.method, r.url.target(), headers) + r.body;
  // A server may answer and close before it has read everything; the answer counts more than the failed write.
  const auto written = co_await reader.stream().write(base::as_bytes(text));
  for (int interim = 0; interim <= most_interim; ++interim) {
    const auto octets = co_await reader.read_head(o.head, o.timeout, o.timeout);
    if (!octets) co_return base::fail(written ? octets.error() : written.error());
    if (!*octets) co_return base::fail(written ? base::error(errc::truncated) : written.error());
    auto head = parse_response_head(**octets, o.head);
    if (!head) co_return base::fail(head.error());
    if (head->status < 200 && head->status != 101) continue;  // RFC 9110 §15.2
    if (r.method == "HEAD") head->body = {};
    auto body = co_await reader.read_body(head->body, o.body);
    if (!body) co_return base::fail(body.error());
    response answer;
    answer.status = head->status;
    answer.headers = std::move(head->headers);
    answer.body = std::move(*body);
    co_return answer;
  }
  co_return base::fail(errc::too_many_interim);
}

}  // namespace

async::task<base::result<response>> fetch(net::host& h, outgoing_request r, fetch_options o) {
  const auto limit = o.timeout;
  co_return co_await async::with_timeout(limit, exchange(h, std::move(r), std::move(o)));
}

}  // namespace strata::http
