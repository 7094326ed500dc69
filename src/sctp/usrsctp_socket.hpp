// One usrsctp socket with everything set that an association inside DTLS needs. A thin shell around the C interface:
// it knows no state of the association and waits for nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "sctp/association.hpp"
#include "sctp/reassembly.hpp"
#include "sctp/usrsctp_library.hpp"

struct socket;

namespace strata::sctp {

using c_socket = struct ::socket;  // with its tag: sys/socket.h has a function of that name

// What the library tells beside data.
struct association_up {
  std::uint16_t streams_out = 0, streams_in = 0;
};
struct association_over {
  bool by_abort = false;  // of the peer
  std::string cause;      // that it gave
};
struct association_restarted {};  // RFC 9260 §5.2: the peer lost its state and began anew
struct peer_shuts_down {};        // no more data comes, none may be sent
struct shutdown_complete {};
struct stream_reset_done {
  association::reset what;
  std::vector<stream_id> streams;
  bool denied = false;  // of outgoing_failed: asking again is no use
};
struct delivery_aborted {  // the rest of a message that was delivered in part never comes
  stream_id stream;
};
using notification = std::variant<association_up, association_over, association_restarted, peer_shuts_down, shutdown_complete,
                                  stream_reset_done, delivery_aborted>;

class usrsctp_socket {
 public:
  // errno of the call that failed, in the error's text.
  static base::result<usrsctp_socket> open(usrsctp_library::id who, const association_config& c);
  usrsctp_socket(usrsctp_socket&& other) noexcept;
  usrsctp_socket& operator=(usrsctp_socket&&) = delete;
  ~usrsctp_socket();  // sends ABORT when the association still stands and the library's way out does

  [[nodiscard]] bool connect(usrsctp_library::id who, std::uint16_t remote_port);
  // How much was taken: 0 when there is no room. `last`: the message ends with this piece.
  enum class refusal : std::uint8_t { no_room, broken };
  [[nodiscard]] std::variant<std::size_t, refusal> send(const message_out& m, base::byte_view piece, bool last);
  // The next piece of data or notification; nothing when there is none. data is valid until the next call.
  [[nodiscard]] std::optional<std::variant<reassembly::piece, notification>> read();
  // False: not now, another request is under way.
  [[nodiscard]] bool reset(std::span<const stream_id> outgoing);
  void shut_down();
  void abort(std::string_view why);

  [[nodiscard]] std::size_t held_for_sending() const;  // octets not yet acknowledged
  [[nodiscard]] bool alive() const;                    // the association exists
  void measure(statistics& s) const;

 private:
  explicit usrsctp_socket(c_socket* s) : socket_(s) {}
  [[nodiscard]] std::optional<notification> decode(base::byte_view data) const;
  c_socket* socket_;
  base::bytes notice_;  // a notification that came in pieces
  bool ended_ = false;
};

}  // namespace strata::sctp
