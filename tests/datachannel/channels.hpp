// Two endpoints over two associations over the wire of tests/sctp. Side a is the DTLS client.
#pragma once

#include "../sctp/pair.hpp"
#include "datachannel/endpoint.hpp"
#include "datachannel/ppid.hpp"

namespace strata::test {

using channel_pointer = std::shared_ptr<datachannel::channel>;

class channels {
 public:
  explicit channels(test::link l = {}, datachannel::endpoint_config c = {}, sctp::association_config s = {}) : w(l, s, s) {
    c.peer_max_message_size = c.max_message_size;
    c.dtls_client = true;
    ends[a] = std::make_unique<datachannel::endpoint>(w.host, w.at(a), c, trace::tracer(w.traces[a], "a"));
    c.dtls_client = false;
    ends[b] = std::make_unique<datachannel::endpoint>(w.host, w.at(b), c, trace::tracer(w.traces[b], "b"));
  }
  ~channels() {
    ends[a].reset();
    ends[b].reset();
  }
  datachannel::endpoint& at(side s) { return *ends[s]; }

  // Connects, runs both endpoints beside the body, and ends them.
  template <class Body>
  void run(Body body, base::duration limit = 2h) {
    w.run(
        [](channels& self, Body body) -> async::task<> {
          co_await async::with_scope(async::at_end::cancel, [&](async::scope& s) -> async::task<> {
            const auto [up_a, up_b] = co_await async::all_of(self.w.at(a).connect(), self.w.at(b).connect());
            REQUIRE(up_a.has_value());
            REQUIRE(up_b.has_value());
            s.spawn("endpoint a", [&self] { return self.at(a).run(); });
            s.spawn("endpoint b", [&self] { return self.at(b).run(); });
            co_await body();
          });
        }(*this, std::move(body)),
        limit);
  }

  // A channel made on a and accepted on b.
  async::task<std::pair<channel_pointer, channel_pointer>> open(datachannel::channel_options o = {.label = "chat"}) {
    auto mine = at(a).create(std::move(o));
    auto theirs = co_await at(b).accept();
    REQUIRE(theirs != nullptr);
    const auto opened = co_await mine->opened();
    REQUIRE(opened.has_value());
    co_return std::pair(mine, theirs);
  }

  wire w;
  std::array<std::unique_ptr<datachannel::endpoint>, 2> ends;
};

inline datachannel::message text(std::string_view s) { return {base::to_bytes(s), true}; }
inline datachannel::message binary(base::bytes data) { return {std::move(data), false}; }

inline async::task<> send_ok(channel_pointer c, datachannel::message m) {
  const auto sent = co_await c->send(std::move(m));
  CHECK(sent.has_value());
}

// Everything a channel gives until its end.
inline async::task<std::vector<datachannel::message>> receive_all(channel_pointer c) {
  std::vector<datachannel::message> all;
  while (auto m = co_await c->receive()) all.push_back(std::move(*m));
  co_return all;
}

// What left a side: the user messages of its DATA chunks that hold a whole message.
struct data_chunk {
  std::uint16_t stream;
  std::uint32_t protocol;
  bool ordered;
  base::bytes data;
};
inline std::vector<data_chunk> data_chunks(const std::vector<base::bytes>& packets) {
  std::vector<data_chunk> out;
  for (const auto& p : packets) {
    auto chunks = sctp::chunks_of(p);
    while (const auto c = sctp::take_chunk(chunks)) {
      if (c->type != sctp::chunk_type::data || (c->flags & 3) != 3) continue;
      const auto v = c->value;
      out.push_back({static_cast<std::uint16_t>(v[4] << 8 | v[5]),
                     static_cast<std::uint32_t>(v[8]) << 24 | static_cast<std::uint32_t>(v[9]) << 16 |
                         static_cast<std::uint32_t>(v[10]) << 8 | v[11],
                     (c->flags & 4) == 0, base::to_bytes(v.subspan(12))});
    }
  }
  return out;
}

}  // namespace strata::test
