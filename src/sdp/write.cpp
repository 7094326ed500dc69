// From meaning to lines: what JSEP (RFC 8829 §5.2, §5.3) wants to see, in the order in which browsers write it.
#include <string>

#include "sdp/data_description.hpp"

namespace strata::sdp {
namespace {

// RFC 8829 §5.3.1: a section that is not ours is there, and says no more than that.
media_description other_media(const other_section& o) {
  media_description m;
  m.media = o.media;
  m.port = o.rejected ? 0 : 9;
  m.protocol = o.protocol;
  m.formats = o.formats;
  m.connections.emplace_back();
  if (!o.mid.empty()) m.attributes.add("mid", o.mid);
  return m;
}

media_description data_media(const data_description& d) {
  media_description m;
  m.media = "application";
  m.port = d.rejected ? 0 : d.default_port;
  m.protocol = d.protocol;
  m.formats = {d.legacy_sctpmap ? std::to_string(d.sctp_port) : "webrtc-datachannel"};
  m.connections.push_back(d.default_connection);
  auto& a = m.attributes;
  if (!d.mid.empty()) a.add("mid", d.mid);
  if (d.rejected) return m;
  // Only read descriptions have port 0 here; what we write has 9 or a candidate's.
  if (m.port == 0) a.add("bundle-only");
  a.add("ice-ufrag", d.ice_ufrag);
  a.add("ice-pwd", d.ice_pwd);
  for (const auto& f : d.fingerprints) a.add("fingerprint", crypto::format(f));
  a.add("setup", to_string(d.setup));
  if (!d.tls_id.empty()) a.add("tls-id", d.tls_id);
  if (d.legacy_sctpmap) a.add("sctpmap", std::to_string(d.sctp_port) + " webrtc-datachannel 1024");
  else a.add("sctp-port", std::to_string(d.sctp_port));
  a.add("max-message-size", std::to_string(d.max_message_size));
  if (!d.sctp_init.empty()) a.add("sctp-init", d.sctp_init);
  for (const auto& c : d.candidates) a.add("candidate", c.starts_with("candidate:") ? std::string_view(c).substr(10) : c);
  if (d.end_of_candidates) a.add("end-of-candidates");
  return m;
}

}  // namespace

session_description write(const data_description& d) {
  session_description s;
  s.origin.session_id = std::to_string(d.session_id);
  s.origin.session_version = std::to_string(d.session_version);
  if (d.bundled && !d.rejected && !d.mid.empty()) s.attributes.add("group", "BUNDLE " + d.mid);
  if (!d.rejected) {
    std::string options;
    const auto option = [&](std::string_view o) { options.append(options.empty() ? "" : " ").append(o); };
    if (d.trickle) option("trickle");
    if (d.ice2) option("ice2");
    for (const auto& o : d.ice_options) option(o);
    if (d.ice_lite) s.attributes.add("ice-lite");
    if (!options.empty()) s.attributes.add("ice-options", options);
    if (d.ice_pacing_ms) s.attributes.add("ice-pacing", std::to_string(*d.ice_pacing_ms));
  }
  for (std::size_t i = 0; i <= d.others.size(); ++i) {
    if (i == d.index || (i == d.others.size() && d.index > i)) s.media.push_back(data_media(d));
    if (i < d.others.size()) s.media.push_back(other_media(d.others[i]));
  }
  return s;
}

std::string format_data_description(const data_description& d) { return format(write(d)); }

}  // namespace strata::sdp
