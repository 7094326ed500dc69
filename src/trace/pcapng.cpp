#include "trace/pcapng.hpp"

#include <algorithm>

#include "base/byte_reader.hpp"
#include "base/byte_writer.hpp"
#include "base/hex.hpp"

namespace strata::trace {
namespace {

class category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "pcapng"; }
  std::string message(int value) const override {
    switch (static_cast<pcapng_errc>(value)) {
      case pcapng_errc::truncated: return "the file ends inside a block";
      case pcapng_errc::not_pcapng: return "not a pcapng file";
      case pcapng_errc::bad_length: return "a block's length is wrong";
      case pcapng_errc::unsupported: return "not a trace of this program (byte order or link type)";
    }
    return "unknown error";
  }
};

constexpr std::uint32_t section_header_type = 0x0A0D0D0A;
constexpr std::uint32_t byte_order_magic = 0x1A2B3C4D;
constexpr std::uint32_t interface_type = 1;
constexpr std::uint32_t packet_type = 6;
constexpr std::uint32_t secrets_type = 10;
constexpr std::uint32_t tls_key_log = 0x544c534b;
constexpr std::uint16_t linktype_raw = 101, linktype_sctp = 248;
constexpr std::uint16_t option_end = 0, option_comment = 1, option_name = 2, option_user_application = 4,
                        option_timestamp_resolution = 9;
constexpr std::uint16_t option_flags = 2;  // of packets
constexpr std::uint32_t inbound = 1, outbound = 2;

// A block, big-endian like everything else here; the section header says so.
class block {
 public:
  explicit block(std::uint32_t type) : w_(out_) {
    w_.u32(type);
    w_.u32(0);
  }
  base::byte_writer& body() noexcept { return w_; }
  void pad() {
    while (out_.size() % 4 != 0) w_.u8(0);
  }
  void option(std::uint16_t code, base::byte_view value) {
    w_.u16(code);
    w_.u16(static_cast<std::uint16_t>(value.size()));
    w_.write(value);
    pad();
  }
  base::bytes finish() {
    pad();
    const auto total = static_cast<std::uint32_t>(out_.size() + 4);
    w_.u32(total);
    w_.patch_u16(4, static_cast<std::uint16_t>(total >> 16));
    w_.patch_u16(6, static_cast<std::uint16_t>(total));
    return std::move(out_);
  }

 private:
  base::bytes out_;
  base::byte_writer w_;
};

std::uint16_t ones_complement(base::byte_view data, std::uint32_t sum = 0) {
  for (std::size_t i = 0; i < data.size(); i += 2) sum += std::uint32_t{data[i]} << 8 | (i + 1 < data.size() ? data[i + 1] : 0);
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

constexpr std::uint8_t protocol_udp = 17;

}  // namespace

std::error_code make_error_code(pcapng_errc e) noexcept {
  static const category instance;
  return {static_cast<int>(e), instance};
}

namespace pcapng {

base::bytes section_header(std::string_view application) {
  block b(section_header_type);
  b.body().u32(byte_order_magic);
  b.body().u16(1);  // version 1.0
  b.body().u16(0);
  b.body().u64(UINT64_MAX);  // section length: not known
  b.option(option_user_application, base::as_bytes(application));
  b.option(option_end, {});
  return b.finish();
}

base::bytes interface_descriptions() {
  base::bytes all;
  const std::pair<std::uint16_t, std::string_view> interfaces[] = {{linktype_raw, "datagrams"},
                                                                   {linktype_sctp, "SCTP inside DTLS"}};
  for (const auto& [linktype, name] : interfaces) {
    block b(interface_type);
    b.body().u16(linktype);
    b.body().u16(0);
    b.body().u32(0);  // no snap length
    b.option(option_name, base::as_bytes(name));
    const std::uint8_t nanoseconds = 9;
    b.option(option_timestamp_resolution, {&nanoseconds, 1});
    b.option(option_end, {});
    base::append(all, b.finish());
  }
  return all;
}

base::bytes decryption_secrets(const dtls_secret& s) {
  const auto line = "CLIENT_RANDOM " + base::to_hex(s.client_random) + " " + base::to_hex(s.master_secret) + "\n";
  block b(secrets_type);
  b.body().u32(tls_key_log);
  b.body().u32(static_cast<std::uint32_t>(line.size()));
  b.body().write(base::as_bytes(line));
  return b.finish();
}

base::bytes ip_udp(const base::endpoint& from, const base::endpoint& to, base::byte_view payload) {
  base::bytes out;
  base::byte_writer w(out);
  const auto udp_length = static_cast<std::uint16_t>(8 + payload.size());
  const auto udp_header = [&](std::uint16_t checksum) {
    w.u16(from.port);
    w.u16(to.port);
    w.u16(udp_length);
    w.u16(checksum);
  };
  if (from.address.is_v4()) {
    w.u16(0x4500);
    w.u16(static_cast<std::uint16_t>(20 + udp_length));
    w.u16(0);
    w.u16(0x4000);  // don't fragment
    w.u8(64);
    w.u8(protocol_udp);
    w.u16(0);
    w.write(from.address.octets());
    w.write(to.address.is_v4() ? to.address.octets() : base::ip_address().octets());
    w.patch_u16(10, ones_complement(out));
    udp_header(0);  // RFC 768: no checksum
  } else {
    w.u32(0x60000000);
    w.u16(udp_length);
    w.u8(protocol_udp);
    w.u8(64);
    w.write(from.address.octets());
    const auto any = base::ip_address::any(base::ip_family::v6);
    w.write(to.address.is_v6() ? to.address.octets() : any.octets());
    const auto at = out.size();
    udp_header(0);
    w.write(payload);
    // RFC 8200 §8.1: UDP over IPv6 always has one, over a pseudo-header.
    base::bytes pseudo(out.begin() + 8, out.begin() + 40);
    base::byte_writer p(pseudo);
    p.u32(udp_length);
    p.u32(protocol_udp);
    base::append(pseudo, base::byte_view(out).subspan(at));
    const auto sum = ones_complement(pseudo);
    w.patch_u16(at + 6, sum == 0 ? 0xffff : sum);
    return out;
  }
  w.write(payload);
  return out;
}

namespace {

base::bytes packet_block(std::uint32_t interface, std::uint64_t at, direction way, base::byte_view data,
                         const std::vector<std::string>& comments) {
  block b(packet_type);
  b.body().u32(interface);
  b.body().u64(at);
  b.body().u32(static_cast<std::uint32_t>(data.size()));
  b.body().u32(static_cast<std::uint32_t>(data.size()));
  b.body().write(data);
  b.pad();
  for (const auto& c : comments) b.option(option_comment, base::as_bytes(std::string_view(c).substr(0, 4096)));
  base::bytes flags;
  base::byte_writer(flags).u32(way == direction::sent ? outbound : inbound);
  b.option(option_flags, flags);
  b.option(option_end, {});
  return b.finish();
}

}  // namespace

base::bytes enhanced_packet(std::uint64_t at, const packet& p, const std::vector<std::string>& comments) {
  const bool sent = p.way == direction::sent;
  return packet_block(0, at, p.way, ip_udp(sent ? p.local : p.remote, sent ? p.remote : p.local, p.data), comments);
}

base::bytes enhanced_packet(std::uint64_t at, const inner_packet& p, const std::vector<std::string>& comments) {
  return packet_block(1, at, p.way, p.data, comments);
}

namespace {

bool read_datagram(base::byte_view data, record& out) {
  base::byte_reader ip(data);
  const auto version = ip.u8();
  if (version && *version >> 4 == 4) {
    if (!ip.skip(11)) return false;
    const auto from = ip.u32(), to = ip.u32();
    if (!from || !to) return false;
    out.from.address = base::ip_address::v4(*from);
    out.to.address = base::ip_address::v4(*to);
  } else {
    if (!ip.skip(7)) return false;
    for (auto* e : {&out.from, &out.to}) {
      const auto octets = ip.take(16);
      if (!octets) return false;
      std::array<std::uint8_t, 16> a{};
      std::copy(octets->begin(), octets->end(), a.begin());
      e->address = base::ip_address::v6(a);
    }
  }
  const auto from_port = ip.u16(), to_port = ip.u16();
  if (!from_port || !to_port || !ip.skip(4)) return false;
  out.from.port = *from_port;
  out.to.port = *to_port;
  out.payload = base::to_bytes(ip.rest());
  return true;
}

std::optional<record> read_packet(base::byte_view body) {
  base::byte_reader r(body);
  record out;
  const auto interface = r.u32();
  const auto at = r.u64();
  const auto captured = r.u32();
  if (!interface || !at || !captured || !r.skip(4)) return std::nullopt;
  const auto data = r.take(*captured);
  if (!data || !r.skip(std::min<std::size_t>(r.remaining(), (4 - *captured % 4) % 4))) return std::nullopt;
  out.at = *at;
  out.inside = *interface != 0;
  if (out.inside) out.payload = base::to_bytes(*data);
  else if (!read_datagram(*data, out)) return std::nullopt;
  while (r.remaining() >= 4) {
    const auto code = r.u16();
    const auto length = r.u16();
    if (*code == option_end) break;
    const auto value = r.take(*length);
    if (!value) return std::nullopt;
    if (*code == option_comment) out.comments.emplace_back(base::as_text(*value));
    if (!r.skip(std::min<std::size_t>(r.remaining(), (4 - *length % 4) % 4))) return std::nullopt;
  }
  return out;
}

}  // namespace

base::result<contents> read(base::byte_view file) {
  base::byte_reader r(file);
  contents all;
  bool first = true;
  while (!r.empty()) {
    const auto start = r.offset();
    const auto type = r.u32();
    const auto length = r.u32();
    if (!type || !length) return base::fail(pcapng_errc::truncated, start);
    if (first && *type != section_header_type) return base::fail(pcapng_errc::not_pcapng, start, "a section header block");
    if (*length < 12 || *length % 4 != 0) {
      return base::fail(first ? pcapng_errc::unsupported : pcapng_errc::bad_length, start,
                        "a big-endian length of whole words");
    }
    const auto body = r.take(*length - 12);
    const auto again = r.u32();
    if (!body || !again) return base::fail(pcapng_errc::truncated, start);
    if (*again != *length) return base::fail(pcapng_errc::bad_length, start, "the same length at both ends");
    if (first && base::byte_reader(*body).u32() != byte_order_magic) return base::fail(pcapng_errc::unsupported, start);
    first = false;
    if (*type == secrets_type) ++all.secrets;
    if (*type != packet_type) continue;
    auto p = read_packet(*body);
    if (!p) return base::fail(pcapng_errc::truncated, start, "a whole packet");
    all.packets.push_back(std::move(*p));
  }
  if (first) return base::fail(pcapng_errc::not_pcapng, 0, "a section header block");
  return all;
}

}  // namespace pcapng
}  // namespace strata::trace
