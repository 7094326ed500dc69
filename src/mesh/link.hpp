// One peer of ours: who it is, the connection to it if there is one, and what waits to be sent to it.
//
// A link outlives its connections. Its run() is a loop: wait for a reason to connect (an offer of theirs, a decision
// of ours), make one attempt, serve the channel until it ends, start over. A newer reason ends the attempt before it;
// whatever belonged to that attempt ends with its scope, so nothing old can touch what is new.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "async/async.hpp"
#include "base/backoff.hpp"
#include "base/json.hpp"
#include "dtls/certificate.hpp"
#include "mesh/message.hpp"
#include "mesh/signed_offer.hpp"
#include "mesh/trust.hpp"
#include "net/host.hpp"
#include "rtc/peer_connection.hpp"
#include "signaling/message.hpp"
#include "trace/sink.hpp"

namespace strata::mesh {

enum class link_state : std::uint8_t { idle, offering, answering, connecting, open, waiting };
std::string_view to_string(link_state s) noexcept;

inline constexpr std::size_t link_queue_bytes = 4u << 20;  // waiting to be sent to one peer
inline constexpr std::size_t most_round_trips = 1024;      // samples kept for percentiles

struct link_counters {
  std::uint64_t attempts = 0, opened = 0, sent = 0, received = 0, bytes_sent = 0, bytes_received = 0, bad_messages = 0;
};

// Of the path that carries data now.
struct link_facts {
  bool relayed = false;
  std::optional<base::duration> round_trip;
};

// What the links of one meshd share.
struct link_environment {
  net::host& host;
  trace::sink* sink = nullptr;
  std::string own_id, own_alias;
  bool plain = false;                             // we speak upstream's protocol only
  std::optional<crypto::signing_key> identity{};  // nothing: what we offer is not signed
  trust& known;
  std::function<void(store::changes)> keep{};                                     // what `known` wants stored
  std::function<void(std::string_view peer, std::string_view why)> on_refused{};  // an offer or answer that is not the peer's
  dtls::certificate certificate;
  std::function<rtc::options()> connection_options;  // asked for every attempt: servers change
  std::function<bool()> can_signal;
  std::function<void()> doubt_signaling;           // what we sent stays without an answer
  std::function<bool(signaling::message)> signal;  // false: no signaling now
  std::function<void(std::string_view peer)> on_open, on_closed;
  std::function<void(std::string_view peer, const message&)> on_unsent;  // accepted, then the connection ended
  std::function<async::task<>(std::string peer, message)> on_message;    // while it waits, the peer's next message waits
  // The two channels for frames are open; what it returns from ends the connection.
  std::function<async::task<>(std::string peer, std::shared_ptr<datachannel::channel> small,
                              std::shared_ptr<datachannel::channel> bulk)>
      carry_frames{};
  std::function<void(std::string_view peer)> on_path{};  // link_facts() may say something else
};

class link {
 public:
  link(link_environment& e, std::string peer);

  async::task<> run();  // until cancelled

  // From signaling.
  void offer_arrived(std::string sdp, base::json payload);
  void answer_arrived(std::string sdp, base::json payload);
  void candidate_arrived(signaling::candidate_payload c);
  void hang_up();       // ends the connection in order
  void call();          // we are to offer, unless a connection stands or is being made
  void peer_is_away();  // do not call until something is heard of it
  // The registry could not pass our offer on. An offer that nobody got must not stand in the way of theirs.
  void offer_undeliverable();
  // The addresses of this machine have changed.
  void network_changed();
  void servers_changed();  // connection_options says others now

  // Waits a little for room in the queue; a peer that takes nothing gets an error at once from then on, so that it
  // cannot hold up what the program has for others.
  [[nodiscard]] async::task<base::result<void>> send(message m);
  // Measures a round trip to the peer's meshd.
  [[nodiscard]] async::task<base::result<base::duration>> ping();

  [[nodiscard]] const std::string& peer() const noexcept { return peer_; }
  [[nodiscard]] const std::string& alias() const noexcept { return alias_; }
  // The name the local program knows the peer by.
  [[nodiscard]] const std::string& shown_as() const noexcept { return alias_.empty() ? peer_ : alias_; }
  void set_alias(std::string_view alias);  // the registry's word; a name by which another peer is known is not taken
  // By its key, which an earlier contact or a person has made known. First contact alone is not enough.
  [[nodiscard]] bool verified() const;
  [[nodiscard]] link_state state() const noexcept { return state_; }
  [[nodiscard]] bool open() const noexcept { return state_ == link_state::open; }
  // The peer takes frames beside plain messages (frame.hpp). Its latest offer or answer said so.
  [[nodiscard]] bool speaks_frames() const noexcept { return they_speak_frames_; }
  [[nodiscard]] link_facts facts() const;
  [[nodiscard]] bool has_connection() const noexcept { return current_ != nullptr; }  // also one that is being closed
  [[nodiscard]] base::json status() const;

 private:
  struct intent {
    std::optional<std::string> offer;  // theirs; nothing: we offer
    judgement who;                     // of theirs
  };
  using channel_pointer = std::shared_ptr<datachannel::channel>;

  async::task<> attempt(intent i);
  async::task<base::result<channel_pointer>> offer(rtc::peer_connection& pc, async::scope& s);
  async::task<base::result<channel_pointer>> answer(rtc::peer_connection& pc, async::scope& s, std::string their_offer);
  async::task<> trickle(rtc::peer_connection& pc);
  async::task<> serve(rtc::peer_connection& pc, channel_pointer c);
  async::task<> send_queued(channel_pointer c);
  async::task<> receive_all(channel_pointer c);
  async::task<> received(std::string text);
  async::task<> pause_or_intent(base::duration pause);
  // link_frames.cpp
  async::task<> carry_frames(rtc::peer_connection& pc);
  // link_path.cpp
  async::task<> watch_path(rtc::peer_connection& pc);
  async::task<> keep_path(rtc::peer_connection& pc);
  async::task<> restart_path(rtc::peer_connection& pc, async::scope& s, std::string why);
  async::task<> answer_restarts(rtc::peer_connection& pc);
  bool take_restart(const sdp::data_description& offer, std::string& text, const std::string& nonce);
  // link_identity.cpp
  [[nodiscard]] bool admit(direction d, const base::json& payload, const sdp::data_description& description, judgement& who);
  [[nodiscard]] bool meet();
  [[nodiscard]] base::json identity_status() const;
  [[nodiscard]] std::string fresh_nonce() const;
  base::json own_offer(std::string sdp);
  base::json own_answer(std::string sdp, std::string_view their_nonce);
  base::json signed_payload(std::string sdp, signed_fields f) const;
  void read_capabilities(const base::json& payload, const judgement& who);
  void forget_acknowledged(const datachannel::channel& c);
  void report_unsent();
  void set_state(link_state next, std::string_view reason);
  bool signal(signaling::kind what, base::json payload);
  [[nodiscard]] base::json describe(rtc::peer_connection& pc) const;
  void remember(rtc::peer_connection& pc) { connection_ = describe(pc); }
  [[nodiscard]] base::json path_status() const;

  link_environment& environment_;
  std::string peer_, alias_;
  trace::tracer tracer_;
  link_state state_ = link_state::idle;
  std::string reason_ = "new";
  bool they_are_meshd_ = false;  // the peer follows the glare rule and answers pings
  bool they_speak_frames_ = false;
  bool caller_ = false;  // the latest attempt was ours
  bool away_ = false;
  std::optional<intent> next_;
  async::event intent_changed_;
  rtc::peer_connection* current_ = nullptr;  // of the running attempt
  bool offer_outstanding_ = false;
  async::event offer_lost_;                                     // pulsed
  std::vector<signaling::candidate_payload> early_candidates_;  // they may overtake the offer they belong to
  std::optional<std::string> restart_offer_;                    // theirs, not answered yet
  std::string restart_nonce_;                                   // of that offer
  judgement who_;                                               // whom the running or latest attempt leads to
  std::string own_nonce_;                                       // of our latest offer
  std::uint64_t refused_ = 0;                                   // offers and answers that were not the peer's
  verdict latest_refusal_ = verdict::verified;
  async::event restart_arrived_;
  async::channel<message> outgoing_;
  std::optional<message> sending_;
  struct unacknowledged {
    message what;
    std::size_t octets;
  };
  std::deque<unacknowledged> unacknowledged_;  // handed to SCTP, as many as its buffer holds
  std::size_t unacknowledged_octets_ = 0;
  bool stuck_ = false;
  base::backoff pauses_;
  struct pending_ping {
    base::instant sent;
    std::optional<base::duration> round_trip;
    async::event answered;
  };
  std::map<std::string, std::shared_ptr<pending_ping>> pings_;
  std::uint64_t next_ping_ = 1;
  std::vector<base::duration> round_trips_;  // a ring of the latest
  std::size_t oldest_round_trip_ = 0;
  base::json connection_;  // how the latest connection came about
  link_counters counters_;
};

}  // namespace strata::mesh
