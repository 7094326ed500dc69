#include "sctp/usrsctp_socket.hpp"

#include <arpa/inet.h>
#include <usrsctp.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include "base/byte_reader.hpp"
#include "sctp/packet.hpp"

namespace strata::sctp {
namespace {

// From the library's internal header; both work in 0.9.5 though its public header does not list them.
constexpr int option_interleaving_supported = 0x1206;
constexpr int option_sndbuf_use = 0x1101;
struct sndbuf_use {
  sctp_assoc_t association;
  std::uint32_t sending;
  std::uint32_t receiving;
};

constexpr auto whole_socket = SCTP_FUTURE_ASSOC;

sockaddr_conn address_of(usrsctp_library::id who, std::uint16_t port) {
  sockaddr_conn a{};
  a.sconn_family = AF_CONN;
  a.sconn_port = htons(port);
  a.sconn_addr = usrsctp_library::as_address(who);
  return a;
}

// Not inside usrsctp_socket's members, where its name hides the library's function.
c_socket* make_socket() { return ::usrsctp_socket(AF_CONN, SOCK_STREAM, IPPROTO_SCTP, nullptr, nullptr, 0, nullptr); }

void something_changed(c_socket*, void* who, int) {
  // The library is in the middle of its work: nothing but a note is safe here.
  usrsctp_library::instance().want_turn(usrsctp_library::from_address(who));
}

template <class T>
bool set(c_socket* s, int level, int option, const T& value) {
  return usrsctp_setsockopt(s, level, option, &value, sizeof value) == 0;
}
template <class T>
bool set(c_socket* s, int option, const T& value) {
  return set(s, IPPROTO_SCTP, option, value);
}

bool set_size(c_socket* s, int option, std::size_t octets) { return set(s, SOL_SOCKET, option, static_cast<int>(octets)); }

bool set_up_transport(c_socket* s, const association_config& c) {
  // exception: 8831-6.2-a 65535 streams cost 13 MB a pair in usrsctp; 1024 each way are 230 KB
  sctp_initmsg init{};
  init.sinit_num_ostreams = c.streams;
  init.sinit_max_instreams = c.streams;
  init.sinit_max_attempts = 10;
  init.sinit_max_init_timeo = 4000;

  sctp_rtoinfo rto{};
  rto.srto_initial = static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::milliseconds>(c.initial_rto).count());
  // Above the 200 ms that a peer may hold a SACK back (RFC 9260 §6.2), below the RFC's cautious second (§16), which
  // would make one lost packet at the end of a burst felt. Deployed WebRTC stacks use 200 to 400 ms.
  rto.srto_min = 220;
  rto.srto_max = 10'000;

  // usrsctp counts unanswered probes of a closed window as failures although every one is answered by a SACK, which RFC 9260
  // §6.1 forbids; with its limits a receiver that pauses for a minute would be declared dead. We watch for silence instead.
  constexpr std::uint16_t practically_never = 10'000;
  sctp_assocparams limits{};
  limits.sasoc_asocmaxrxt = practically_never;

  sctp_paddrparams path{};
  path.spp_assoc_id = whole_socket;
  path.spp_flags = SPP_PMTUD_DISABLE | SPP_HB_ENABLE;
  path.spp_pathmaxrxt = practically_never;
  path.spp_hbinterval = 30'000;  // consent checks of ICE notice a dead path sooner
  // exception: 8831-5-b the engine knows one opaque path; ICE moves it without telling
  // exception: 8831-5-c as above: congestion control learns a new path by its losses and round trips
  // exception: 8831-5-d usrsctp's path MTU discovery does not work; the packet size is configured for 1200-octet datagrams
  // For AF_CONN the library does not count the common header: a path MTU of n gives packets of n + 12.
  path.spp_pathmtu = c.mtu - static_cast<std::uint32_t>(common_header_size);

  return set(s, SCTP_INITMSG, init) && set(s, SCTP_RTOINFO, rto) && set(s, SCTP_ASSOCINFO, limits) &&
         set(s, SCTP_PEER_ADDR_PARAMS, path) &&
         // The engine counts a little beside the octets; our own bound is the one that acts.
         set_size(s, SO_SNDBUF, c.send_buffer + c.send_buffer / 2) && set_size(s, SO_RCVBUF, c.receive_buffer);
}

bool set_up_messages(c_socket* s, const association_config& c) {
  const int on = 1;
  sctp_assoc_value reset{};
  reset.assoc_id = whole_socket;
  reset.assoc_value = SCTP_ENABLE_RESET_STREAM_REQ;
  // Level 2 belongs to I-DATA (RFC 8260 §4.3.1); with DATA, messages come one after the other.
  const int interleave = c.interleaving ? 2 : 0;
  if (!set(s, SCTP_NODELAY, on) || !set(s, SCTP_EXPLICIT_EOR, on) || !set(s, SCTP_RECVRCVINFO, on) ||
      !set(s, SCTP_ENABLE_STREAM_RESET, reset) || !set(s, SCTP_FRAGMENT_INTERLEAVE, interleave))
    return false;
  if (c.interleaving) {
    sctp_assoc_value idata{};
    idata.assoc_id = whole_socket;
    idata.assoc_value = 1;
    if (!set(s, option_interleaving_supported, idata)) return false;
  }
  for (const std::uint16_t type :
       {SCTP_ASSOC_CHANGE, SCTP_SHUTDOWN_EVENT, SCTP_STREAM_RESET_EVENT, SCTP_PARTIAL_DELIVERY_EVENT}) {
    sctp_event e{};
    e.se_assoc_id = whole_socket;
    e.se_on = 1;
    e.se_type = type;
    if (!set(s, SCTP_EVENT, e)) return false;
  }
  return true;
}

}  // namespace

base::result<usrsctp_socket> usrsctp_socket::open(usrsctp_library::id who, const association_config& c) {
  auto* raw = make_socket();
  if (raw == nullptr) return base::fail(errc::connect_failed, base::error::nowhere, "a socket");
  usrsctp_socket s(raw);
  const linger at_close{1, 0};  // closing never waits: what should be delivered is delivered by shut_down() before
  auto own = address_of(who, c.local_port);
  if (usrsctp_set_non_blocking(raw, 1) != 0 || !set(raw, SOL_SOCKET, SO_LINGER, at_close) || !set_up_transport(raw, c) ||
      !set_up_messages(raw, c) || usrsctp_bind(raw, reinterpret_cast<sockaddr*>(&own), sizeof own) != 0)
    return base::fail(errc::connect_failed, base::error::nowhere, "the socket's options");
  usrsctp_set_upcall(raw, something_changed, usrsctp_library::as_address(who));
  return base::result<usrsctp_socket>(std::move(s));
}

usrsctp_socket::usrsctp_socket(usrsctp_socket&& other) noexcept
    : socket_(std::exchange(other.socket_, nullptr)), notice_(std::move(other.notice_)), ended_(other.ended_) {}

usrsctp_socket::~usrsctp_socket() {
  if (socket_ == nullptr) return;
  usrsctp_set_upcall(socket_, nullptr, nullptr);
  usrsctp_close(socket_);
}

bool usrsctp_socket::connect(usrsctp_library::id who, std::uint16_t remote_port) {
  auto peer = address_of(who, remote_port);
  return usrsctp_connect(socket_, reinterpret_cast<sockaddr*>(&peer), sizeof peer) == 0 || errno == EINPROGRESS;
}

std::variant<std::size_t, usrsctp_socket::refusal> usrsctp_socket::send(const message_out& m, base::byte_view piece,
                                                                        bool last) {
  sctp_sendv_spa how{};
  how.sendv_flags = SCTP_SEND_SNDINFO_VALID;
  how.sendv_sndinfo.snd_sid = m.stream.value;
  how.sendv_sndinfo.snd_ppid = htonl(m.protocol.value);
  how.sendv_sndinfo.snd_flags = static_cast<std::uint16_t>((m.ordered ? 0 : SCTP_UNORDERED) | (last ? SCTP_EOR : 0));
  if (m.reliability.kind != reliability::policy::reliable) {
    how.sendv_flags |= SCTP_SEND_PRINFO_VALID;
    how.sendv_prinfo.pr_policy =
        m.reliability.kind == reliability::policy::max_retransmits ? SCTP_PR_SCTP_RTX : SCTP_PR_SCTP_TTL;
    how.sendv_prinfo.pr_value = m.reliability.value;
  }
  const auto taken = usrsctp_sendv(socket_, piece.data(), piece.size(), nullptr, 0, &how, sizeof how, SCTP_SENDV_SPA, 0);
  if (taken >= 0) return static_cast<std::size_t>(taken);
  return errno == EWOULDBLOCK || errno == EAGAIN || errno == ENOBUFS ? refusal::no_room : refusal::broken;
}

std::optional<std::variant<reassembly::piece, notification>> usrsctp_socket::read() {
  // One for all: nothing of this library runs at the same time as anything else of it.
  static std::array<std::uint8_t, 65536> buffer;
  while (!ended_) {
    sctp_rcvinfo info{};
    socklen_t info_size = sizeof info;
    unsigned info_type = SCTP_RECVV_NOINFO;
    int flags = 0;
    const auto size =
        usrsctp_recvv(socket_, buffer.data(), buffer.size(), nullptr, nullptr, &info, &info_size, &info_type, &flags);
    if (size < 0 && (errno == EWOULDBLOCK || errno == EAGAIN || errno == ENOTCONN)) return std::nullopt;
    if (size <= 0) {
      ended_ = true;
      return notification(size == 0 ? notification(shutdown_complete{}) : association_over{errno == ECONNRESET, {}});
    }
    const auto data = base::byte_view(buffer).first(static_cast<std::size_t>(size));
    const bool last = (flags & MSG_EOR) != 0;
    if ((flags & MSG_NOTIFICATION) == 0) {
      if (info_type != SCTP_RECVV_RCVINFO) continue;
      return reassembly::piece{stream_id(info.rcv_sid), ppid(ntohl(info.rcv_ppid)), (info.rcv_flags & SCTP_UNORDERED) == 0,
                               last, data};
    }
    base::append(notice_, data);
    if (!last) continue;
    const auto whole = std::exchange(notice_, {});
    if (auto n = decode(whole)) return std::move(*n);
  }
  return std::nullopt;
}

std::optional<notification> usrsctp_socket::decode(base::byte_view data) const {
  const auto as = [data]<class T>(T& out) {
    if (data.size() < sizeof out) return false;
    std::memcpy(&out, data.data(), sizeof out);
    return true;
  };
  std::uint16_t type = 0;
  if (!as(type)) return std::nullopt;
  switch (type) {
    case SCTP_ASSOC_CHANGE: {
      sctp_assoc_change c{};
      if (!as(c)) return std::nullopt;
      switch (c.sac_state) {
        case SCTP_COMM_UP: return association_up{c.sac_outbound_streams, c.sac_inbound_streams};
        case SCTP_RESTART: return association_restarted{};
        case SCTP_SHUTDOWN_COMP: return shutdown_complete{};
        default: {
          // The ABORT chunk follows when there was one: its header of four octets, then the causes.
          const bool aborted = data.size() > sizeof c;
          return association_over{aborted,
                                  aborted ? abort_cause(data.subspan(std::min(data.size(), sizeof c + 4))) : std::string()};
        }
      }
    }
    case SCTP_SHUTDOWN_EVENT: return peer_shuts_down{};
    case SCTP_PARTIAL_DELIVERY_EVENT: {
      sctp_pdapi_event p{};
      if (!as(p)) return std::nullopt;
      return delivery_aborted{stream_id(static_cast<std::uint16_t>(p.pdapi_stream))};
    }
    case SCTP_STREAM_RESET_EVENT: {
      sctp_stream_reset_event r{};
      if (!as(r)) return std::nullopt;
      stream_reset_done done{};
      const bool refused = (r.strreset_flags & (SCTP_STREAM_RESET_DENIED | SCTP_STREAM_RESET_FAILED)) != 0;
      if ((r.strreset_flags & SCTP_STREAM_RESET_INCOMING_SSN) != 0) done.what = association::reset::incoming;
      else done.what = refused ? association::reset::outgoing_failed : association::reset::outgoing;
      done.denied = (r.strreset_flags & SCTP_STREAM_RESET_DENIED) != 0;
      for (auto at = sizeof r; at + sizeof(std::uint16_t) <= data.size(); at += sizeof(std::uint16_t)) {
        std::uint16_t id = 0;
        std::memcpy(&id, data.data() + at, sizeof id);
        done.streams.emplace_back(id);
      }
      return done;
    }
    default: return std::nullopt;
  }
}

bool usrsctp_socket::reset(std::span<const stream_id> outgoing) {
  const auto size = sizeof(sctp_reset_streams) + outgoing.size() * sizeof(std::uint16_t);
  // The struct ends with the list; memory of its alignment, as large as both.
  std::vector<std::uint32_t> memory(size / sizeof(std::uint32_t) + 1);
  auto* request = reinterpret_cast<sctp_reset_streams*>(memory.data());
  request->srs_assoc_id = whole_socket;
  request->srs_flags = SCTP_STREAM_RESET_OUTGOING;
  request->srs_number_streams = static_cast<std::uint16_t>(outgoing.size());
  for (std::size_t i = 0; i < outgoing.size(); ++i) request->srs_stream_list[i] = outgoing[i].value;
  return usrsctp_setsockopt(socket_, IPPROTO_SCTP, SCTP_RESET_STREAMS, request, static_cast<socklen_t>(size)) == 0;
}

void usrsctp_socket::shut_down() { usrsctp_shutdown(socket_, SHUT_WR); }

void usrsctp_socket::abort(std::string_view why) {
  sctp_sndinfo how{};
  how.snd_flags = SCTP_ABORT;  // RFC 6458 §5.3.4: the data becomes the user-initiated abort cause
  usrsctp_sendv(socket_, why.data(), why.size(), nullptr, 0, &how, sizeof how, SCTP_SENDV_SNDINFO, 0);
}

std::size_t usrsctp_socket::held_for_sending() const {
  sndbuf_use use{};
  socklen_t size = sizeof use;
  if (usrsctp_getsockopt(socket_, IPPROTO_SCTP, option_sndbuf_use, &use, &size) != 0) return 0;
  return use.sending;
}

bool usrsctp_socket::alive() const {
  sctp_status status{};
  socklen_t size = sizeof status;
  return usrsctp_getsockopt(socket_, IPPROTO_SCTP, SCTP_STATUS, &status, &size) == 0;
}

void usrsctp_socket::measure(statistics& s) const {
  sctp_status status{};
  socklen_t size = sizeof status;
  if (usrsctp_getsockopt(socket_, IPPROTO_SCTP, SCTP_STATUS, &status, &size) != 0) return;
  s.rtt = std::chrono::milliseconds(status.sstat_primary.spinfo_srtt);
  s.rto = std::chrono::milliseconds(status.sstat_primary.spinfo_rto);
  s.congestion_window = status.sstat_primary.spinfo_cwnd;
  s.peer_window = status.sstat_rwnd;
}

}  // namespace strata::sctp
