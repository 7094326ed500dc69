// Awaits any Asio operation:
//
//   auto [ec, n] = co_await asio_await<std::size_t>([&](auto handler) { socket.async_read_some(buffer, std::move(handler)); });
//
// Cancelling the fiber emits the operation's cancellation signal; the await lasts until the handler has run, because
// the operation may own memory of the frame until then. A result that was there already is delivered, not dropped.
#pragma once

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/error.hpp>
#include <asio/error_code.hpp>
#include <tuple>
#include <utility>

#include "async/fiber.hpp"

namespace strata::net {

template <class Initiate, class... Values>
class asio_operation final : public async::leaf {
 public:
  explicit asio_operation(Initiate initiate) : initiate_(std::move(initiate)) {}
  std::tuple<asio::error_code, Values...> await_resume() { return std::move(result_); }

 private:
  void start() override {
    initiate_(asio::bind_cancellation_slot(signal_.slot(), [this](asio::error_code ec, Values... values) {
      result_ = {ec, std::move(values)...};
      if (cancel_asked_ && ec == asio::error::operation_aborted) cancelled();
      else complete();
    }));
  }
  void request_cancel() noexcept override {
    cancel_asked_ = true;
    signal_.emit(asio::cancellation_type::terminal);
  }
  [[nodiscard]] std::string_view what() const noexcept override { return "i/o"; }

  Initiate initiate_;
  asio::cancellation_signal signal_;
  std::tuple<asio::error_code, Values...> result_;
  bool cancel_asked_ = false;
};

template <class... Values, class Initiate>
[[nodiscard]] asio_operation<Initiate, Values...> asio_await(Initiate initiate) {
  return asio_operation<Initiate, Values...>(std::move(initiate));
}

}  // namespace strata::net
