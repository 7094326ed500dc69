// Descriptions in the shapes that real implementations send. Identifiers are made up.
#pragma once

#include <string>
#include <string_view>

namespace fixtures {

inline constexpr std::string_view digest =
    "7B:8B:F0:65:5F:78:E2:51:3B:AC:6F:F3:3F:46:1B:35:DC:B8:5F:64:1A:24:C2:43:F0:A1:58:D0:A1:2C:19:08";

// Lines are written with LF here; crlf() makes them what goes over the wire.
inline std::string crlf(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n') out += '\r';
    out += c;
  }
  return out;
}

// Chromium and libwebrtc: no candidates in the first description, extras at session level, everything else in the section.
inline const std::string chromium = crlf(R"(v=0
o=- 4834270155049274012 2 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0
a=extmap-allow-mixed
a=msid-semantic: WMS
m=application 9 UDP/DTLS/SCTP webrtc-datachannel
c=IN IP4 0.0.0.0
a=ice-ufrag:Rk2d
a=ice-pwd:pT1HRb8o3nA1yuQd1MMaXq4Z
a=ice-options:trickle
a=fingerprint:sha-256 7B:8B:F0:65:5F:78:E2:51:3B:AC:6F:F3:3F:46:1B:35:DC:B8:5F:64:1A:24:C2:43:F0:A1:58:D0:A1:2C:19:08
a=setup:actpass
a=mid:0
a=sctp-port:5000
a=max-message-size:262144
)");

// Chromium with the switches that put the SCTP INIT and DTLS flights elsewhere.
inline const std::string chromium_snap = crlf(R"(v=0
o=- 4834270155049274013 2 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0
a=extmap-allow-mixed
a=msid-semantic: WMS
m=application 50123 UDP/DTLS/SCTP webrtc-datachannel
c=IN IP4 192.0.2.7
a=candidate:2717202641 1 udp 2122260223 192.0.2.7 50123 typ host generation 0 network-id 1 network-cost 999
a=candidate:587154721 1 udp 2122194687 5e1f2f35-9a9b-4e4a-9d54-1b2c9ee9b0aa.local 41005 typ host generation 0
a=ice-ufrag:Rk2d
a=ice-pwd:pT1HRb8o3nA1yuQd1MMaXq4Z
a=ice-options:trickle sped googspedv1
a=fingerprint:sha-256 7B:8B:F0:65:5F:78:E2:51:3B:AC:6F:F3:3F:46:1B:35:DC:B8:5F:64:1A:24:C2:43:F0:A1:58:D0:A1:2C:19:08
a=setup:actpass
a=mid:0
a=sctp-port:5000
a=sctp-init:AQAAHC9g2Q8AUAAA//////4kBqDAAAAEgAgABsDA
a=max-message-size:262144
)");

// Firefox: fingerprint and ice-options at session level, a direction, a very large message size.
inline const std::string firefox = crlf(R"(v=0
o=mozilla...THIS_IS_SDPARTA-99.0 2513826354217629837 0 IN IP4 0.0.0.0
s=-
t=0 0
a=sendrecv
a=fingerprint:sha-256 7B:8B:F0:65:5F:78:E2:51:3B:AC:6F:F3:3F:46:1B:35:DC:B8:5F:64:1A:24:C2:43:F0:A1:58:D0:A1:2C:19:08
a=group:BUNDLE 0
a=ice-options:trickle
a=msid-semantic:WMS *
m=application 9 UDP/DTLS/SCTP webrtc-datachannel
c=IN IP4 0.0.0.0
a=sendrecv
a=ice-pwd:3f0c6f8e5b1de3a2c79b1d4d2e8f0a61
a=ice-ufrag:6ab1f0c2
a=mid:0
a=setup:actpass
a=sctp-port:5000
a=max-message-size:1073741823
)");

inline const std::string firefox_answer = crlf(R"(v=0
o=mozilla...THIS_IS_SDPARTA-99.0 8122361254217629837 0 IN IP4 0.0.0.0
s=-
t=0 0
a=sendrecv
a=fingerprint:sha-256 7B:8B:F0:65:5F:78:E2:51:3B:AC:6F:F3:3F:46:1B:35:DC:B8:5F:64:1A:24:C2:43:F0:A1:58:D0:A1:2C:19:08
a=group:BUNDLE 0
a=ice-options:trickle
a=msid-semantic:WMS *
m=application 9 UDP/DTLS/SCTP webrtc-datachannel
c=IN IP4 0.0.0.0
a=sendrecv
a=ice-pwd:3f0c6f8e5b1de3a2c79b1d4d2e8f0a61
a=ice-ufrag:6ab1f0c2
a=mid:0
a=setup:active
a=sctp-port:5000
a=max-message-size:1073741823
)");

// libdatachannel: transport attributes at session level, ice2 beside trickle, candidates of several kinds.
inline const std::string libdatachannel = crlf(R"(v=0
o=rtc 1987211411 0 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0
a=group:LS 0
a=msid-semantic:WMS *
a=ice-options:ice2,trickle
a=fingerprint:sha-256 7B:8B:F0:65:5F:78:E2:51:3B:AC:6F:F3:3F:46:1B:35:DC:B8:5F:64:1A:24:C2:43:F0:A1:58:D0:A1:2C:19:08
m=application 53917 UDP/DTLS/SCTP webrtc-datachannel
c=IN IP4 192.0.2.9
a=mid:0
a=sendrecv
a=sctp-port:5000
a=max-message-size:262144
a=setup:actpass
a=ice-ufrag:EnQ4
a=ice-pwd:7Q0Bf7oMcY5rTgPzBe1jQ2
a=candidate:1 1 UDP 2122317823 192.0.2.9 53917 typ host
a=candidate:2 1 UDP 2122187263 2001:db8::9 53917 typ host
a=candidate:3 1 UDP 1686109951 203.0.113.5 40101 typ srflx raddr 0.0.0.0 rport 0
a=end-of-candidates
)");

// aiortc: three fingerprints, all candidates at once, no trickle.
inline const std::string aiortc = crlf(R"(v=0
o=- 3941837741 3941837741 IN IP4 0.0.0.0
s=-
t=0 0
a=group:BUNDLE 0
a=msid-semantic:WMS *
m=application 47011 DTLS/SCTP 5000
c=IN IP4 192.0.2.3
a=mid:0
a=sctpmap:5000 webrtc-datachannel 65535
a=max-message-size:65536
a=candidate:f0c6fbd4a1a0c9a4c1c4aa0b0d0a6a3c 1 udp 2130706431 192.0.2.3 47011 typ host
a=end-of-candidates
a=ice-ufrag:Kj8x
a=ice-pwd:QcT1v5B9sLbTqJd0w3XyZ2
a=fingerprint:sha-256 7B:8B:F0:65:5F:78:E2:51:3B:AC:6F:F3:3F:46:1B:35:DC:B8:5F:64:1A:24:C2:43:F0:A1:58:D0:A1:2C:19:08
a=setup:actpass
)");

// pion and webrtc-rs: fingerprint twice, upper-case digests, candidates with both components, ufrags of 16 characters.
inline const std::string pion = crlf(R"(v=0
o=- 6368426402127416063 1700000000 IN IP4 0.0.0.0
s=-
t=0 0
a=msid-semantic:WMS*
a=fingerprint:sha-256 7B:8B:F0:65:5F:78:E2:51:3B:AC:6F:F3:3F:46:1B:35:DC:B8:5F:64:1A:24:C2:43:F0:A1:58:D0:A1:2C:19:08
a=extmap-allow-mixed
a=group:BUNDLE 0
m=application 9 UDP/DTLS/SCTP webrtc-datachannel
c=IN IP4 0.0.0.0
a=setup:actpass
a=mid:0
a=sendrecv
a=sctp-port:5000
a=max-message-size:1073741823
a=ice-ufrag:rQkXzTnUoVpWsYhA
a=ice-pwd:mLkJhGfDsAqWeRtYuIoPzXcVbNmLkJhG
a=candidate:233762139 1 udp 2130706431 192.0.2.4 51000 typ host ufrag rQkXzTnUoVpWsYhA
a=candidate:233762139 2 udp 2130706431 192.0.2.4 51000 typ host ufrag rQkXzTnUoVpWsYhA
)");

// A browser that offers audio and video before its data channel.
inline const std::string with_media = crlf(R"(v=0
o=- 4834270155049274014 2 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0 1 2
a=extmap-allow-mixed
m=audio 9 UDP/TLS/RTP/SAVPF 111 63
c=IN IP4 0.0.0.0
a=rtcp:9 IN IP4 0.0.0.0
a=ice-ufrag:Rk2d
a=ice-pwd:pT1HRb8o3nA1yuQd1MMaXq4Z
a=ice-options:trickle
a=fingerprint:sha-256 7B:8B:F0:65:5F:78:E2:51:3B:AC:6F:F3:3F:46:1B:35:DC:B8:5F:64:1A:24:C2:43:F0:A1:58:D0:A1:2C:19:08
a=setup:actpass
a=mid:0
a=sendrecv
a=rtcp-mux
a=rtpmap:111 opus/48000/2
m=application 9 UDP/DTLS/SCTP webrtc-datachannel
c=IN IP4 0.0.0.0
a=ice-ufrag:Rk2d
a=ice-pwd:pT1HRb8o3nA1yuQd1MMaXq4Z
a=ice-options:trickle
a=fingerprint:sha-256 7B:8B:F0:65:5F:78:E2:51:3B:AC:6F:F3:3F:46:1B:35:DC:B8:5F:64:1A:24:C2:43:F0:A1:58:D0:A1:2C:19:08
a=setup:actpass
a=mid:1
a=sctp-port:5000
a=max-message-size:262144
m=video 9 UDP/TLS/RTP/SAVPF 96
c=IN IP4 0.0.0.0
a=mid:2
a=recvonly
a=rtpmap:96 VP8/90000
)");

inline std::string replaced(std::string text, std::string_view from, std::string_view to) {
  if (const auto at = text.find(from); at != std::string::npos) text.replace(at, from.size(), to);
  return text;
}
inline std::string without_line(const std::string& text, std::string_view beginning) {
  const auto at = text.find("\r\n" + std::string(beginning));
  if (at == std::string::npos) return text;
  return text.substr(0, at) + text.substr(text.find("\r\n", at + 2));
}
inline std::string with_line(std::string text, std::string_view line) { return text + std::string(line) + "\r\n"; }

}  // namespace fixtures
