// From lines to meaning (RFC 8829 §5.8): which section is ours, and what it says.
#include <algorithm>
#include <map>
#include <set>

#include "crypto/error.hpp"
#include "sdp/data_description.hpp"
#include "sdp/grammar.hpp"
#include "sdp/ice_attributes.hpp"

namespace strata::sdp {

std::string_view to_string(setup_role s) noexcept {
  switch (s) {
    case setup_role::actpass: return "actpass";
    case setup_role::active: return "active";
    case setup_role::passive: return "passive";
  }
  return "?";
}

namespace {

using base::fail;

constexpr std::string_view data_format = "webrtc-datachannel";

// RFC 8829 §5.1.2: the three that are in use.
bool is_data_protocol(std::string_view p) noexcept { return p == "UDP/DTLS/SCTP" || p == "TCP/DTLS/SCTP" || p == "DTLS/SCTP"; }

// "5000 webrtc-datachannel 1024" for the port that stands as format in the m= line.
const attribute* sctpmap_of(const media_description& m) {
  for (const auto& a : m.attributes) {
    if (a.name != "sctpmap") continue;
    const auto words = split(a.value);
    if (words.size() >= 2 && words[0] == m.formats.front() && words[1] == data_format) return &a;
  }
  return nullptr;
}

bool is_data_section(const media_description& m) {
  if (m.media != "application" || !is_data_protocol(m.protocol)) return false;
  // RFC 8841 §4.3: exactly one format. Before it, the format was the port.
  return m.formats.size() == 1 && (m.formats.front() == data_format || sctpmap_of(m) != nullptr);
}

// RFC 9143 §6: port 0 with bundle-only is no refusal.
bool is_rejected(const media_description& m) { return m.port == 0 && m.attributes.find("bundle-only") == nullptr; }

// RFC 8829 §5.8.2: mids are tokens and unique; RFC 9143 §5: nobody is in two groups, or twice in one.
base::result<std::set<std::string, std::less<>>> read_bundle(const session_description& d) {
  std::set<std::string, std::less<>> mids, bundled;
  for (const auto& m : d.media) {
    const auto* mid = m.attributes.find("mid");
    if (mid == nullptr) continue;
    if (!is_token(mid->value)) return fail(errc::bad_attribute, mid->offset, "a token as mid");
    if (m.attributes.count("mid") != 1 || !mids.emplace(mid->value).second)
      return fail(errc::duplicate_attribute, mid->offset, "another mid in every section");
  }
  for (const auto& a : d.attributes) {
    if (a.name != "group") continue;
    const auto words = split(a.value);
    for (const auto w : words)
      if (!is_token(w)) return fail(errc::bad_bundle, a.offset, "BUNDLE and mids with one space between");
    if (words.front() != "BUNDLE") continue;
    for (auto w = words.begin() + 1; w != words.end(); ++w)
      if (!bundled.emplace(*w).second) return fail(errc::bad_bundle, a.offset, "every mid once, in one BUNDLE group");
  }
  return bundled;
}

// One of our section's attributes may stand for the whole session (RFC 8829 §5.2.1).
class section_reader {
 public:
  section_reader(const session_description& d, const media_description& m, data_description& out) : d_(d), m_(m), out_(out) {}

  base::result<void> run() {
    for (const auto step : {&section_reader::ice, &section_reader::candidates, &section_reader::fingerprints,
                            &section_reader::dtls, &section_reader::sctp})
      if (const auto done = (this->*step)(); !done) return done;
    return {};
  }

 private:
  base::result<const attribute*> single(std::string_view name) const {
    for (const auto* level : {&m_.attributes, &d_.attributes})
      if (const auto* a = level->find(name); a != nullptr) {
        if (level->count(name) > 1) return fail(errc::duplicate_attribute, a->offset, "this attribute once");
        return a;
      }
    return nullptr;
  }

  base::result<void> ice() {
    const auto ufrag = single("ice-ufrag");
    if (!ufrag) return fail(ufrag.error());
    const auto pwd = single("ice-pwd");
    if (!pwd) return fail(pwd.error());
    // RFC 8829 §5.1.1: no data without ICE.
    if (*ufrag == nullptr) return fail(errc::missing_attribute, m_.offset, "a=ice-ufrag");
    if (*pwd == nullptr) return fail(errc::missing_attribute, m_.offset, "a=ice-pwd");
    if (!is_ice_ufrag((*ufrag)->value)) return fail(errc::bad_attribute, (*ufrag)->offset, "4 to 256 ice-chars");
    if (!is_ice_pwd((*pwd)->value)) return fail(errc::bad_attribute, (*pwd)->offset, "22 to 256 ice-chars");
    out_.ice_ufrag = (*ufrag)->value;
    out_.ice_pwd = (*pwd)->value;

    out_.ice_lite = d_.attributes.find("ice-lite") != nullptr;
    // RFC 8839 §4.2.5: the peer does not do ICE after all.
    const auto mismatch = single("ice-mismatch");
    if (!mismatch) return fail(mismatch.error());
    if (*mismatch != nullptr) return fail(errc::bad_attribute, (*mismatch)->offset, "a peer that does ICE");
    const auto pacing = single("ice-pacing");
    if (!pacing) return fail(pacing.error());
    if (*pacing != nullptr) {
      out_.ice_pacing_ms = parse_ice_pacing((*pacing)->value);
      if (!out_.ice_pacing_ms) return fail(errc::bad_attribute, (*pacing)->offset, "1 to 10 digits");
    }
    out_.trickle = out_.ice2 = false;
    for (const auto* level : {&d_.attributes, &m_.attributes})
      for (const auto& a : *level) {
        if (a.name != "ice-options") continue;
        auto words = parse_ice_options(a.value);
        if (!words) return fail(errc::bad_attribute, a.offset, "options with one space between");
        for (auto& w : *words) {
          if (w == "trickle") out_.trickle = true;
          else if (w == "ice2") out_.ice2 = true;
          else if (std::find(out_.ice_options.begin(), out_.ice_options.end(), w) == out_.ice_options.end())
            out_.ice_options.push_back(std::move(w));
        }
      }
    return {};
  }

  base::result<void> candidates() {
    for (const auto& a : m_.attributes) {
      if (a.name == "candidate") out_.candidates.push_back("candidate:" + a.value);
      if (a.name == "remote-candidates" && !is_remote_candidates(a.value))
        return fail(errc::bad_attribute, a.offset, "component, address and port for each component");
    }
    const auto end = single("end-of-candidates");
    out_.end_of_candidates = !end || *end != nullptr;
    return {};
  }

  // RFC 8122 §5: the section's own count instead of the session's. A hash that we do not know costs only its line; MD5 and
  // MD2 are among the unknown.
  base::result<void> fingerprints() {
    const auto& level = m_.attributes.find("fingerprint") != nullptr ? m_.attributes : d_.attributes;
    for (const auto& a : level) {
      if (a.name != "fingerprint") continue;
      auto f = crypto::parse_fingerprint(a.value);
      if (f) out_.fingerprints.push_back(std::move(*f));
      else if (f.error() != crypto::errc::unknown_hash)
        return fail(errc::bad_attribute, a.offset, "a hash name and its octets in hex");
    }
    if (out_.fingerprints.empty())
      return fail(errc::missing_attribute, m_.offset, "a=fingerprint with SHA-256 or another hash we know");
    return {};
  }

  base::result<void> dtls() {
    const auto setup = single("setup");
    if (!setup) return fail(setup.error());
    if (*setup == nullptr) return fail(errc::missing_attribute, m_.offset, "a=setup");
    const std::string_view value = (*setup)->value;
    if (value == "actpass") out_.setup = setup_role::actpass;
    else if (value == "active") out_.setup = setup_role::active;
    else if (value == "passive") out_.setup = setup_role::passive;
    else return fail(errc::bad_setup, (*setup)->offset, "actpass, active or passive");  // RFC 8842 §5.1: no holdconn
    const auto id = single("tls-id");
    if (!id) return fail(id.error());
    if (*id == nullptr) return {};
    out_.tls_id = (*id)->value;
    const bool shaped = out_.tls_id.size() >= 20 && out_.tls_id.size() <= 255 &&
                        std::all_of(out_.tls_id.begin(), out_.tls_id.end(),
                                    [](char c) { return is_alphanumeric(c) || c == '+' || c == '/' || c == '-' || c == '_'; });
    if (!shaped) return fail(errc::bad_attribute, (*id)->offset, "20 to 255 characters of A-Z a-z 0-9 + / - _");
    return {};
  }

  base::result<void> sctp() {
    const auto port = single("sctp-port");
    if (!port) return fail(port.error());
    if (*port != nullptr) {
      const auto number = parse_plain_number<std::uint16_t>((*port)->value);
      if (!number) return fail(errc::bad_attribute, (*port)->offset, "a port from 0 to 65535 without leading zeros");
      out_.sctp_port = *number;
    } else {
      // RFC 8841 §5.1: without it there is no section, but for peers from before.
      const auto* map = sctpmap_of(m_);
      if (map == nullptr) return fail(errc::missing_attribute, m_.offset, "a=sctp-port");
      const auto number = parse_plain_number<std::uint16_t>(m_.formats.front());
      if (!number) return fail(errc::bad_attribute, map->offset, "a port from 0 to 65535 without leading zeros");
      out_.sctp_port = *number;
      out_.legacy_sctpmap = true;
    }
    const auto size = single("max-message-size");
    if (!size) return fail(size.error());
    if (*size != nullptr) {
      const auto number = parse_plain_number<std::uint64_t>((*size)->value);
      if (!number) return fail(errc::bad_attribute, (*size)->offset, "a number without leading zeros");
      out_.max_message_size = *number;
    }
    if (const auto* init = m_.attributes.find("sctp-init")) out_.sctp_init = init->value;
    return {};
  }

  const session_description& d_;
  const media_description& m_;
  data_description& out_;
};

// RFC 8839 §5.4: the same fragment in two sections comes with the same password.
base::result<void> check_credentials(const session_description& d) {
  std::map<std::string, std::string, std::less<>> passwords;
  for (const auto& m : d.media) {
    const auto* ufrag = m.attributes.find("ice-ufrag");
    const auto* pwd = m.attributes.find("ice-pwd");
    if (ufrag == nullptr || pwd == nullptr) continue;
    const auto [known, fresh] = passwords.emplace(ufrag->value, pwd->value);
    if (!fresh && known->second != pwd->value) return fail(errc::bad_attribute, pwd->offset, "one password for one fragment");
  }
  return {};
}

}  // namespace

base::result<data_description> read(const session_description& d) {
  const auto bundled = read_bundle(d);
  if (!bundled) return fail(bundled.error());
  if (const auto checked = check_credentials(d); !checked) return fail(checked.error());

  const media_description* ours = nullptr;
  for (const auto& m : d.media)
    if (is_data_section(m) && (ours == nullptr || (is_rejected(*ours) && !is_rejected(m)))) ours = &m;
  // Old peers refuse without the attributes that tell a data section from others; then the first that may be one is meant.
  if (ours == nullptr) {
    const auto first = std::find_if(d.media.begin(), d.media.end(),
                                    [](const auto& m) { return m.media == "application" && is_data_protocol(m.protocol); });
    if (first != d.media.end() && is_rejected(*first)) ours = &*first;
  }
  if (ours == nullptr)
    return fail(errc::no_data_section, d.media.empty() ? base::error::nowhere : d.media.front().offset,
                "m=application with UDP/DTLS/SCTP and webrtc-datachannel");

  data_description out;
  out.session_id = parse_number<std::uint64_t>(d.origin.session_id).value_or(0);
  out.session_version = parse_number<std::uint64_t>(d.origin.session_version).value_or(0);
  for (const auto& m : d.media) {
    if (&m == ours) {
      out.index = out.others.size();
      continue;
    }
    const auto* mid = m.attributes.find("mid");
    out.others.push_back({m.media, m.protocol, m.formats, mid != nullptr ? mid->value : std::string(), is_rejected(m)});
  }
  const auto* mid = ours->attributes.find("mid");
  out.mid = mid != nullptr ? mid->value : std::string();
  out.bundled = mid != nullptr && bundled->contains(mid->value);
  out.protocol = ours->protocol;
  out.rejected = is_rejected(*ours);
  out.default_port = ours->port;
  out.default_connection = !ours->connections.empty() ? ours->connections.front() : d.connection.value_or(sdp::connection());
  if (out.rejected) {
    out.trickle = out.ice2 = out.bundled = false;
    out.legacy_sctpmap = ours->formats.front() != data_format;
    if (out.legacy_sctpmap) out.sctp_port = parse_plain_number<std::uint16_t>(ours->formats.front()).value_or(0);
    return out;
  }
  if (const auto section = section_reader(d, *ours, out).run(); !section) return fail(section.error());
  return out;
}

base::result<data_description> parse_data_description(std::string_view text) {
  const auto lines = parse(text);
  if (!lines) return fail(lines.error());
  return read(*lines);
}

}  // namespace strata::sdp
