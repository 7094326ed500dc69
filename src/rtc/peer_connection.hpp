// A peer connection: ICE finds the path, DTLS keeps it private, SCTP carries the data channels; one scope holds all.
//
//   peer_connection pc(host, own_certificate, options, tracer);
//   co_await with_scope(at_end::cancel, [&](scope& s) -> task<> {
//     s.spawn("connection", [&] { return pc.run(); });
//     auto chat = pc.create_channel({.label = "chat"});
//     signal(co_await pc.create_offer());            // and pc.next_candidate() for what is found later
//     ...
//     pc.accept_answer(answer_text);
//     co_await pc.connected();
//     co_await chat->send({...});
//   });
//
// Everything is on the host's loop. close() may be called from anywhere, any number of times, also before run();
// after run() has ended nothing of the connection calls or sends any more. Awaits on a connection that ends return
// an error or nothing; they never hang. The object must outlive run().
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "async/async.hpp"
#include "base/result.hpp"
#include "datachannel/channel.hpp"
#include "datachannel/endpoint.hpp"
#include "dtls/certificate.hpp"
#include "dtls/endpoint.hpp"
#include "ice/agent.hpp"
#include "net/host.hpp"
#include "rtc/path.hpp"
#include "sctp/association.hpp"
#include "sdp/data_description.hpp"
#include "trace/sink.hpp"
#include "turn/server_info.hpp"

namespace strata::rtc {

enum class errc {
  wrong_state = 1,  // an answer without an offer, a second offer
  no_data_section,  // the description has no data-channel section, or it is rejected
  no_fingerprint,
  another_session,    // not a change of this one: another certificate, role or port
  connection_failed,  // no path; reason() says more
  handshake_failed,
  association_failed,
  closed,
};
std::error_code make_error_code(errc e) noexcept;

// RFC 8829 §4.1.3 of the W3C names, for data only.
enum class connection_state : std::uint8_t { fresh, connecting, connected, disconnected, failed, closed };
std::string_view to_string(connection_state s) noexcept;

struct options {
  ice::agent_config ice{};
  std::vector<turn::server_info> turn_servers{};  // best first
  // How long create_offer() and accept_offer() wait for candidates that go into the description itself; what is found
  // later is trickled. Peers that drop early candidates are served by this as well.
  base::duration gather_patience = std::chrono::milliseconds(50);
  // How long a connection whose path is lost waits for a restart of ICE before it ends: zero when nobody will restart it.
  base::duration restart_patience{};
  std::uint32_t max_message_size = 256 * 1024;  // bytes, inbound (RFC 8841 §6)
};

// When each phase ended, as time since the connection was made; empty while it has not.
struct timings {
  base::instant began{};
  std::optional<base::duration> described;  // both descriptions known: what signaling took
  std::optional<base::duration> gathered, paired, dtls, sctp, channel;
};

class peer_connection {
 public:
  peer_connection(net::host& host, dtls::certificate own, options o, trace::tracer tracer);
  peer_connection(const peer_connection&) = delete;
  peer_connection& operator=(const peer_connection&) = delete;
  ~peer_connection();

  async::task<> run();

  // SDP texts. The offerer calls create_offer() then accept_answer(), the answerer accept_offer().
  async::task<base::result<std::string>> create_offer();
  async::task<base::result<std::string>> accept_offer(std::string sdp);
  base::result<void> accept_answer(std::string_view sdp);
  // Later, from either side: the offer of an ICE restart, to be answered in the same way. Data goes on where it goes until
  // the new path works. Offers that cross: one side takes its own back and accepts the other's.
  async::task<base::result<std::string>> restart(std::string why);
  void rollback(std::string_view why);
  [[nodiscard]] async::task<std::string> restart_wanted() { return path_.restart_wanted(); }
  void network_changed() { path_.network_changed(); }
  void set_servers(const options& o);  // its STUN and TURN servers, from now on
  void set_restart_patience(base::duration d) noexcept { options_.restart_patience = d; }
  // Whether an offer is about this session: a restart, not another connection.
  [[nodiscard]] bool continues(const sdp::data_description& offer) const;
  [[nodiscard]] bool offer_outstanding() const noexcept { return restart_offer_.has_value() || (local_ && !remote_); }

  // Trickle. A candidate may come before the description; an empty line is the end of candidates.
  base::result<void> add_candidate(std::string_view line);
  async::task<std::optional<std::string>> next_candidate();  // "candidate:…"; nothing at the end of candidates

  // Channels may be made before the connection stands; they open when it does.
  std::shared_ptr<datachannel::channel> create_channel(datachannel::channel_options o);
  async::task<std::shared_ptr<datachannel::channel>> accept_channel();  // null: the connection ended

  async::task<base::result<void>> connected();  // until SCTP is up
  async::task<> closed();                       // until run() has ended
  void close();

  // Whoever waits for a first channel says when it was open: the last phase of setting the connection up.
  void channel_is_open() { ended(&timings::channel); }

  [[nodiscard]] connection_state state() const noexcept { return state_; }
  [[nodiscard]] const std::string& reason() const noexcept { return reason_; }
  [[nodiscard]] const rtc::timings& phases() const noexcept { return timings_; }
  [[nodiscard]] ice::agent& ice() noexcept { return *path_.current(); }
  [[nodiscard]] rtc::path& path() noexcept { return path_; }

 private:
  async::task<> establish();
  async::task<> watch_path();
  async::task<> close_in_order();
  async::task<base::result<std::string>> accept_change(sdp::data_description theirs);
  [[nodiscard]] base::result<void> keeps_association(const sdp::data_description& theirs) const;
  void start_dtls();
  void on_datagram(base::byte_view datagram);
  void set_state(connection_state next, std::string reason);
  void fail(std::string reason);
  sdp::data_description describe(const ice::agent& agent) const;
  void ended(std::optional<base::duration> timings::* phase);

  net::host& host_;
  dtls::certificate certificate_;
  options options_;
  trace::tracer tracer_;
  rtc::path path_;
  std::unique_ptr<dtls::endpoint> dtls_;
  std::unique_ptr<sctp::association> sctp_;
  datachannel::endpoint channels_;
  std::vector<base::bytes> early_datagrams_;  // DTLS that overtook the description; bounded
  std::optional<sdp::data_description> local_, remote_;
  std::optional<sdp::data_description> restart_offer_;  // not answered yet
  dtls::role dtls_role_ = dtls::role::server;
  connection_state state_ = connection_state::fresh;
  std::string reason_;
  rtc::timings timings_;
  async::event state_changed_, described_, close_asked_, ended_;
};

}  // namespace strata::rtc

template <>
struct std::is_error_code_enum<strata::rtc::errc> : std::true_type {};
