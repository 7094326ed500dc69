// Our endpoint against the openssl command on the loopback interface, as server and as client. A program of its own,
// because it talks to a real process in real time; it says "skip" (77) where the command is missing.
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "wire.hpp"

namespace {

using namespace strata;
using namespace std::chrono_literals;

class real_loop final : public async::loop {
 public:
  [[nodiscard]] base::instant now() const override {
    timespec t{};
    clock_gettime(CLOCK_MONOTONIC, &t);
    return base::instant(std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec));
  }
};

void require(bool good, const char* what) {
  if (!good) throw std::runtime_error(what);
}

class udp {
 public:
  udp() : fd_(socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
    sockaddr_in any{};
    any.sin_family = AF_INET;
    any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    require(bind(fd_, reinterpret_cast<sockaddr*>(&any), sizeof any) == 0, "bind");
    socklen_t size = sizeof any;
    getsockname(fd_, reinterpret_cast<sockaddr*>(&any), &size);
    port_ = ntohs(any.sin_port);
  }
  ~udp() { close(fd_); }
  udp(const udp&) = delete;
  udp& operator=(const udp&) = delete;

  bool send(base::byte_view d) {
    return sendto(fd_, d.data(), d.size(), 0, reinterpret_cast<sockaddr*>(&peer), sizeof peer) >= 0;
  }
  bool receive(base::bytes& into) {
    into.resize(65536);
    socklen_t size = sizeof peer;
    const auto n = recvfrom(fd_, into.data(), into.size(), 0, reinterpret_cast<sockaddr*>(&peer), &size);
    into.resize(n < 0 ? 0 : static_cast<std::size_t>(n));
    return n > 0;
  }
  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] int port() const { return port_; }
  sockaddr_in peer{};

 private:
  int fd_;
  int port_ = 0;
};

// The command with its standard input and output in our hands.
class openssl {
 public:
  explicit openssl(std::vector<std::string> arguments) {
    int in[2], out[2];
    require(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0, "pipe");
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], 0);
    posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    posix_spawn_file_actions_adddup2(&actions, out[1], 2);
    std::vector<char*> argv;
    arguments.insert(arguments.begin(), "openssl");
    for (auto& a : arguments) argv.push_back(a.data());
    argv.push_back(nullptr);
    require(posix_spawnp(&pid_, "openssl", &actions, nullptr, argv.data(), environ) == 0, "cannot run openssl");
    posix_spawn_file_actions_destroy(&actions);
    close(in[0]);
    close(out[1]);
    to_ = in[1];
    from_ = out[0];
    fcntl(from_, F_SETFL, O_NONBLOCK);
  }
  ~openssl() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    close(to_);
    close(from_);
  }
  openssl(const openssl&) = delete;
  openssl& operator=(const openssl&) = delete;

  void say(std::string_view text) { require(write(to_, text.data(), text.size()) > 0, "write to openssl"); }
  void listen() {
    std::array<char, 4096> buffer{};
    const auto n = read(from_, buffer.data(), buffer.size());
    if (n > 0) heard.append(buffer.data(), static_cast<std::size_t>(n));
    if (n == 0) ended = true;
  }
  [[nodiscard]] int fd() const { return from_; }
  std::string heard;
  bool ended = false;

 private:
  pid_t pid_ = 0;
  int to_ = -1, from_ = -1;
};

struct meeting {
  meeting(dtls::role ours, const std::string& folder)
      : own(make(1)),
        theirs(make(2)),
        endpoint(machine, own, ours, {theirs.fingerprint()}, {.initial_timeout = 100ms},
                 [this](base::byte_view d) { return socket.send(d); }, {}) {
    std::ofstream(folder + "/certificate.pem") << theirs.pem();
    std::ofstream(folder + "/key.pem") << theirs.private_key_pem();
    endpoint.on_data = [this](base::byte_view d) { received += base::as_text(d); };
  }
  crypto::certificate make(std::uint64_t seed) {
    test::machine random(loop, seed);
    return crypto::certificate::generate([&random](base::byte_span out) { random.random(out); }, random.wall_now());
  }

  void run(async::task<> t, openssl& command) {
    async::root_task<void> root(loop, "meeting", std::move(t));
    const base::instant limit = loop.now() + 20s;
    base::bytes datagram;
    while (!root.done()) {
      loop.run_ready();
      if (root.done()) break;
      require(loop.now() < limit, "not finished within 20 s");
      const base::instant next = std::min({loop.next_deadline(), limit, loop.now() + 50ms});
      const auto wait = std::chrono::ceil<std::chrono::milliseconds>(std::max(next - loop.now(), base::duration(0)));
      pollfd fds[2] = {{socket.fd(), POLLIN, 0}, {command.fd(), POLLIN, 0}};
      poll(fds, command.ended ? 1 : 2, static_cast<int>(wait.count()));
      while (socket.receive(datagram)) endpoint.receive(datagram);
      command.listen();
      loop.fire_timers();
    }
    root.take();
  }

  // Handshake, a line each way, and the end.
  async::task<> talk(openssl& command) {
    const auto outcome = co_await endpoint.handshake();
    if (!outcome) throw std::runtime_error("handshake: " + endpoint.reason());
    command.say("from openssl\n");
    while (received.find("from openssl\n") == std::string::npos) co_await async::sleep_for(5ms);
    require(endpoint.send(base::as_bytes("from strata\n")), "send");
    while (command.heard.find("from strata\n") == std::string::npos) co_await async::sleep_for(5ms);
    std::printf("%s\n", std::string(endpoint.cipher_suite()).c_str());
    endpoint.close();
    while (!command.ended && command.heard.find("DONE") == std::string::npos) co_await async::sleep_for(5ms);
  }

  real_loop loop;
  test::machine machine{loop, 3};
  udp socket;
  crypto::certificate own, theirs;
  dtls::endpoint endpoint;
  std::string received;
};

void as_server(const std::string& folder) {
  meeting m(dtls::role::server, folder);
  openssl command({"s_client", "-dtls1_2", "-connect", "127.0.0.1:" + std::to_string(m.socket.port()), "-cert",
                   folder + "/certificate.pem", "-key", folder + "/key.pem", "-quiet"});
  m.run(m.talk(command), command);
}

void as_client(const std::string& folder) {
  meeting m(dtls::role::client, folder);
  m.socket.peer.sin_family = AF_INET;
  m.socket.peer.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int port = udp().port();  // free a moment ago
  m.socket.peer.sin_port = htons(static_cast<std::uint16_t>(port));
  openssl command({"s_server", "-dtls1_2", "-accept", "127.0.0.1:" + std::to_string(port), "-cert", folder + "/certificate.pem",
                   "-key", folder + "/key.pem", "-Verify", "1", "-quiet", "-naccept", "1"});
  m.run(m.talk(command), command);
}

}  // namespace

int main() {
  signal(SIGPIPE, SIG_IGN);
  if (std::system("openssl version >/dev/null 2>&1") != 0) {
    std::puts("skipped: the openssl command is not installed");
    return 77;
  }
  char folder[] = "/tmp/strata-openssl-XXXXXX";
  if (mkdtemp(folder) == nullptr) return 1;
  int code = 0;
  for (const auto& [name, body] : {std::pair("server", &as_server), std::pair("client", &as_client)}) {
    try {
      body(folder);
      std::printf("our %s and openssl: ok\n", name);
    } catch (const std::exception& e) {
      std::printf("our %s and openssl: %s\n", name, e.what());
      code = 1;
    }
  }
  std::filesystem::remove_all(folder);
  return code;
}
