// The real host: clock, sockets and names of this machine, over Asio. The header names no Asio type, so including it
// is cheap; one thread drives it.
#pragma once

#include <functional>
#include <initializer_list>
#include <memory>

#include "async/task.hpp"
#include "net/host.hpp"

namespace strata::net {

struct asio_options {
  // How long to look for work before going to sleep. Waking a sleeping thread costs tens of microseconds on a
  // virtual machine; a program that lives on round trips may pay for them with a busy core.
  base::duration spin = base::duration::zero();
};

class signal_watch {
 public:
  virtual ~signal_watch() = default;
  // The number of the next one. None is lost between two calls; several of one kind may come as one. One waits at a time.
  [[nodiscard]] virtual async::task<int> next() = 0;
};

class asio_host final : public host {
 public:
  explicit asio_host(asio_options o = {});
  ~asio_host() override;

  // Runs the loop until the task ends.
  template <class T>
  T run(async::task<T> t) {
    async::root_task<T> root(loop(), "main", std::move(t));
    drive([&root] { return root.done(); });
    return root.take();
  }

  // The only call that other threads may make: runs f on the loop.
  void post(std::function<void()> f);

  // These signals do nothing else to the process while the watch lives.
  [[nodiscard]] std::unique_ptr<signal_watch> watch_signals(const std::vector<int>& signals);

  [[nodiscard]] async::loop& loop() override;
  [[nodiscard]] base::wall_time wall_now() override;
  void random(base::byte_span out) override;
  [[nodiscard]] result<std::unique_ptr<udp_socket>> bind_udp(const base::endpoint& local, udp_options o = {}) override;
  [[nodiscard]] async::task<result<std::unique_ptr<stream>>> connect_tcp(base::endpoint remote, tcp_options o = {}) override;
  [[nodiscard]] result<std::unique_ptr<listener>> listen_tcp(const base::endpoint& local, tcp_options o = {}) override;
  [[nodiscard]] async::task<result<std::unique_ptr<stream>>> connect_local(std::string path) override;
  [[nodiscard]] result<std::unique_ptr<listener>> listen_local(const std::string& path) override;
  [[nodiscard]] async::task<result<std::vector<base::ip_address>>> resolve(std::string name) override;
  [[nodiscard]] std::vector<interface_address> interfaces() override;
  [[nodiscard]] async::task<> interfaces_changed() override;
  [[nodiscard]] async::task<> run_blocking(
      std::function<void()> f) override;  // on one thread of its own, made at the first call
  [[nodiscard]] std::vector<base::ip_address> gateways() override;

 private:
  void drive(const std::function<bool()>& done);
  struct implementation;
  std::unique_ptr<implementation> impl_;
};

}  // namespace strata::net
