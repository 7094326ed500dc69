// A day in a millisecond, and what a run that is stuck says. docs/async.md quotes this file.
#include <cstdio>
#include <string>

#include "async/async.hpp"
#include "sim/network.hpp"

using namespace strata;
using namespace std::chrono_literals;

async::task<> answer_pings(net::udp_socket& socket) {
  for (;;) {
    const auto batch = co_await socket.receive();
    if (!batch) co_return;
    for (const auto& d : *batch) socket.send(d.peer, d.payload);
  }
}

async::task<int> ping(net::host& host, base::endpoint server, int times) {
  auto socket = host.bind_udp({base::ip_address(), 0});
  int answers = 0;
  for (int n = 0; n < times; ++n) {
    (*socket)->send(server, base::as_bytes("ping"));
    if (co_await async::with_timeout(1s, (*socket)->receive())) ++answers;
    co_await async::sleep_for(1min);
  }
  co_return answers;
}

int ping_for_a_day(std::uint64_t seed) {
  sim::network net(seed);
  auto& a = net.add_host("a", {"192.0.2.1"});
  auto& b = net.add_host("b", {"192.0.2.2"});
  net.link(a, b, {.latency = 40ms, .jitter = 20ms, .loss = 0.1});
  auto server = *b.bind_udp({b.address(), 7});
  return net.run([](net::host& a, net::udp_socket& server) -> async::task<int> {
    co_return co_await async::with_scope(async::at_end::cancel, [&](async::scope& s) -> async::task<int> {
      s.spawn("server", answer_pings, std::ref(server));
      co_return co_await ping(a, server.local_endpoint(), 1000);
    });
  }(a, *server));
}

async::task<> each_waits_for_the_other() {
  async::channel<int> questions(1), answers(1);
  co_await async::with_scope(async::at_end::join, [&](async::scope& s) -> async::task<> {
    s.spawn("asks after the answer", [&]() -> async::task<> {
      co_await answers.receive();
      co_await questions.send(1);
    });
    s.spawn("answers after the question", [&]() -> async::task<> {
      co_await questions.receive();
      co_await answers.send(2);
    });
    co_return;
  });
}

std::string why_it_is_stuck() {
  sim::loop loop;
  try {
    loop.run(each_waits_for_the_other());
  } catch (const sim::deadlock& d) {
    return d.what();
  }
  return {};
}

int main() {
  const int one = ping_for_a_day(1), same = ping_for_a_day(1);
  const auto tree = why_it_is_stuck();
  std::printf("%d of 1000 answered, the second time %d\n%s", one, same, tree.c_str());
  return one == same && one > 700 && one < 900 && tree.find("answers after the question") != tree.npos ? 0 : 1;
}
