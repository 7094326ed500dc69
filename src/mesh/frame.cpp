#include "mesh/frame.hpp"

#include <algorithm>

#include "base/base64.hpp"
#include "base/byte_reader.hpp"
#include "base/byte_writer.hpp"
#include "base/utf8.hpp"

namespace strata::mesh {
namespace {

constexpr std::uint8_t version = 1;
enum kind : std::uint8_t { data = 1, ack = 2, cancel = 3, hello = 4 };
constexpr std::uint8_t durable_flag = 1, binary_flag = 2;
constexpr std::size_t stream_ack_header = 20, range_size = 8, fate_header = 6;

class category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "mesh frame"; }
  std::string message(int value) const override {
    switch (static_cast<frame_errc>(value)) {
      case frame_errc::truncated: return "the frame ends too early";
      case frame_errc::left_over: return "octets are left over";
      case frame_errc::unknown_version: return "the version is not known";
      case frame_errc::unknown_kind: return "the kind is not known";
      case frame_errc::bad_flags: return "flags or urgency have unknown values";
      case frame_errc::bad_piece: return "the piece does not fit its message";
      case frame_errc::bad_sequence: return "a sequence number is out of bounds";
      case frame_errc::bad_order: return "a list is not in order";
      case frame_errc::bad_fate: return "a fate or its reason is not valid";
      case frame_errc::bad_bundle: return "not a bundle of frames";
    }
    return "unknown error";
  }
};

// Reads on after the end as zeros and remembers it, so that the checks of a fixed part stand together behind it.
class fields {
 public:
  explicit fields(base::byte_view octets) : in_(octets) {}
  std::uint8_t u8() { return got(in_.u8()); }
  std::uint16_t u16() { return got(in_.u16()); }
  std::uint32_t u32() { return got(in_.u32()); }
  std::uint64_t u64() { return got(in_.u64()); }
  base::byte_view take(std::size_t n) { return got(in_.take(n)); }
  base::byte_view rest() { return got(in_.take(in_.remaining())); }
  [[nodiscard]] bool cut_off() const { return cut_off_; }
  [[nodiscard]] std::size_t offset() const { return in_.offset(); }
  [[nodiscard]] bool empty() const { return in_.empty(); }

 private:
  template <class T>
  T got(std::optional<T> v) {
    cut_off_ = cut_off_ || !v;
    return v.value_or(T{});
  }
  base::byte_reader in_;
  bool cut_off_ = false;
};

void write(base::byte_writer& out, const data_frame& f) {
  out.u8(static_cast<std::uint8_t>((f.durable ? durable_flag : 0) | (f.binary ? binary_flag : 0)));
  out.u8(static_cast<std::uint8_t>(f.how));
  out.write(f.id.octets);
  out.u64(f.epoch);
  out.u32(f.stream);
  out.u64(f.sequence);
  out.u64(f.floor);
  out.u32(f.milliseconds_left);
  out.u32(f.total);
  out.u32(f.offset);
  out.write(f.piece);
}

base::result<frame> read_data(fields& in) {
  data_frame f;
  const auto flags = in.u8();
  const auto how = in.u8();
  const auto id = in.take(f.id.octets.size());
  f.epoch = in.u64();
  f.stream = in.u32();
  f.sequence = in.u64();
  f.floor = in.u64();
  f.milliseconds_left = in.u32();
  f.total = in.u32();
  f.offset = in.u32();
  if (in.cut_off()) return base::fail(frame_errc::truncated, in.offset(), "60 octets of header");
  if ((flags & ~(durable_flag | binary_flag)) != 0) return base::fail(frame_errc::bad_flags, 2, "durable and binary only");
  if (how > static_cast<std::uint8_t>(urgency::high)) return base::fail(frame_errc::bad_flags, 3, "an urgency of 0, 1 or 2");
  f.durable = (flags & durable_flag) != 0;
  f.binary = (flags & binary_flag) != 0;
  f.how = static_cast<urgency>(how);
  std::copy(id.begin(), id.end(), f.id.octets.begin());
  // A message cannot be settled while it is sent.
  if (f.sequence >= sequence_limit || f.floor > f.sequence)
    return base::fail(frame_errc::bad_sequence, 32, "a sequence below 2^62, a floor not above it");
  f.piece = in.rest();
  if (f.total > largest_delivery) return base::fail(frame_errc::bad_piece, 52, "at most 16 MiB");
  if (f.offset > f.total || f.piece.size() > f.total - f.offset)
    return base::fail(frame_errc::bad_piece, 56, "a piece within its message");
  const bool last = f.offset + f.piece.size() == f.total;
  if (last ? f.piece.empty() && f.total != 0 : f.piece.size() < smallest_piece)
    return base::fail(frame_errc::bad_piece, data_header, "at least 512 octets in every piece but the last");
  return f;
}

void write(base::byte_writer& out, const ack_frame& f) {
  out.u16(static_cast<std::uint16_t>(f.streams.size()));
  out.u64(f.epoch);
  out.u64(f.incarnation);
  out.u32(f.number);
  out.u32(f.window);
  for (const auto& s : f.streams) {
    out.u32(s.stream);
    out.u64(s.from);
    out.u32(static_cast<std::uint32_t>(s.settled - s.from));
    out.u16(static_cast<std::uint16_t>(s.whole.size()));
    out.u16(static_cast<std::uint16_t>(s.others.size()));
    auto at = s.settled;
    for (const auto& r : s.whole) {
      out.u32(static_cast<std::uint32_t>(r.first - at));
      out.u32(static_cast<std::uint32_t>(r.count));
      at = r.end();
    }
    for (const auto& e : s.others) {
      out.u32(static_cast<std::uint32_t>(e.sequence - s.from));
      out.u8(static_cast<std::uint8_t>(e.what));
      out.u8(static_cast<std::uint8_t>(e.why.size()));
      out.write(base::as_bytes(e.why));
    }
  }
}

base::result<void> read_ranges(fields& in, std::uint16_t count, stream_ack& s) {
  auto at = s.settled;
  for (std::uint16_t i = 0; i < count; ++i) {
    const auto start = in.offset();
    const auto gap = in.u32(), length = in.u32();
    if (in.cut_off()) return base::fail(frame_errc::truncated, start, "a range");
    if (length == 0 || (gap == 0 && i != 0)) return base::fail(frame_errc::bad_order, start, "ranges apart from each other");
    s.whole.push_back({at + gap, length});
    at += std::uint64_t{gap} + length;
    if (at > sequence_limit) return base::fail(frame_errc::bad_sequence, start, "a range below 2^62");
  }
  return {};
}

base::result<void> read_others(fields& in, std::uint16_t count, stream_ack& s) {
  for (std::uint16_t i = 0; i < count; ++i) {
    const auto start = in.offset();
    other_fate e;
    e.sequence = s.from + in.u32();
    const auto what = in.u8();
    const auto why = in.take(in.u8());
    if (in.cut_off()) return base::fail(frame_errc::truncated, start, "a fate");
    if (e.sequence >= s.settled || (i != 0 && e.sequence <= s.others.back().sequence))
      return base::fail(frame_errc::bad_order, start, "fates of settled sequences, ascending");
    if (what == 0 || what > static_cast<std::uint8_t>(fate::unknown) || why.size() > longest_reason || !base::is_utf8(why))
      return base::fail(frame_errc::bad_fate, start, "refused, expired or unknown, and a reason of at most 120 octets");
    e.what = static_cast<fate>(what);
    e.why = base::as_text(why);
    s.others.push_back(std::move(e));
  }
  return {};
}

base::result<frame> read_ack(fields& in) {
  ack_frame f;
  const auto streams = in.u16();
  f.epoch = in.u64();
  f.incarnation = in.u64();
  f.number = in.u32();
  f.window = in.u32();
  if (in.cut_off()) return base::fail(frame_errc::truncated, in.offset(), "28 octets of header");
  for (std::uint16_t i = 0; i < streams; ++i) {
    const auto start = in.offset();
    stream_ack s;
    s.stream = in.u32();
    s.from = in.u64();
    s.settled = in.u32();
    const auto ranges = in.u16(), others = in.u16();
    if (in.cut_off()) return base::fail(frame_errc::truncated, start, "a stream");
    if (i != 0 && s.stream <= f.streams.back().stream) return base::fail(frame_errc::bad_order, start, "streams, ascending");
    if (s.from >= sequence_limit) return base::fail(frame_errc::bad_sequence, start, "a sequence below 2^62");
    s.settled += s.from;
    if (s.settled > sequence_limit) return base::fail(frame_errc::bad_sequence, start, "a sequence below 2^62");
    if (auto r = read_ranges(in, ranges, s); !r) return base::fail(r.error());
    if (auto r = read_others(in, others, s); !r) return base::fail(r.error());
    f.streams.push_back(std::move(s));
  }
  return f;
}

void write(base::byte_writer& out, const cancel_frame& f) {
  out.u16(0);
  out.u64(f.epoch);
  out.u32(f.stream);
  out.u64(f.floor);
  out.u64(f.what.first);
  out.u32(static_cast<std::uint32_t>(f.what.count));
}

base::result<frame> read_cancel(fields& in) {
  cancel_frame f;
  const auto zero = in.u16();
  f.epoch = in.u64();
  f.stream = in.u32();
  f.floor = in.u64();
  f.what.first = in.u64();
  f.what.count = in.u32();
  if (in.cut_off()) return base::fail(frame_errc::truncated, in.offset(), "36 octets");
  if (zero != 0) return base::fail(frame_errc::bad_flags, 2, "zero");
  if (f.what.count == 0) return base::fail(frame_errc::bad_order, 32, "at least one sequence");
  if (f.what.first >= sequence_limit || f.what.end() > sequence_limit || f.floor > sequence_limit)
    return base::fail(frame_errc::bad_sequence, 16, "sequences below 2^62");
  return f;
}

void write(base::byte_writer& out, const hello_frame& f) {
  out.u16(0);
  out.u64(f.epoch);
  out.u64(f.incarnation);
  out.u32(f.window);
}

base::result<frame> read_hello(fields& in) {
  hello_frame f;
  const auto zero = in.u16();
  f.epoch = in.u64();
  f.incarnation = in.u64();
  f.window = in.u32();
  if (in.cut_off()) return base::fail(frame_errc::truncated, in.offset(), "24 octets");
  if (zero != 0) return base::fail(frame_errc::bad_flags, 2, "zero");
  return f;
}

}  // namespace

std::error_code make_error_code(frame_errc e) noexcept {
  static const category instance;
  return {static_cast<int>(e), instance};
}

std::string_view to_string(fate f) noexcept {
  switch (f) {
    case fate::delivered: return "delivered";
    case fate::refused: return "refused";
    case fate::expired: return "expired";
    case fate::unknown: return "unknown";
  }
  return "unknown";
}

base::bytes encode(const frame& f) {
  base::bytes octets;
  if (const auto* d = std::get_if<data_frame>(&f)) octets.reserve(data_header + d->piece.size());
  base::byte_writer out(octets);
  out.u8(version);
  out.u8(static_cast<std::uint8_t>(f.index() + 1));
  std::visit([&out](const auto& k) { write(out, k); }, f);
  return octets;
}

base::result<frame> decode(base::byte_view octets) {
  fields in(octets);
  const auto v = in.u8(), k = in.u8();
  if (in.cut_off()) return base::fail(frame_errc::truncated, octets.size(), "a version and a kind");
  if (v != version) return base::fail(frame_errc::unknown_version, 0, "version 1");
  base::result<frame> f = base::fail(frame_errc::unknown_kind, 1, "kinds 1 to 4");
  switch (k) {
    case data: f = read_data(in); break;
    case ack: f = read_ack(in); break;
    case cancel: f = read_cancel(in); break;
    case hello: f = read_hello(in); break;
    default: break;
  }
  if (f && !in.empty()) return base::fail(frame_errc::left_over, in.offset(), "the end of the frame");
  return f;
}

std::size_t encoded_size(const stream_ack& s) noexcept {
  auto size = stream_ack_header + s.whole.size() * range_size;
  for (const auto& e : s.others) size += fate_header + e.why.size();
  return size;
}

std::string bundle(std::span<const base::bytes> frames) {
  base::bytes octets;
  base::byte_writer out(octets);
  for (const auto& f : frames) {
    out.u24(static_cast<std::uint32_t>(f.size()));
    out.write(f);
  }
  return base::base64_encode(octets);
}

base::result<std::vector<base::bytes>> unbundle(std::string_view text) {
  const auto octets = base::base64_decode(text);
  if (!octets) return base::fail(frame_errc::bad_bundle, base::error::nowhere, "base64");
  std::vector<base::bytes> frames;
  base::byte_reader in(*octets);
  while (!in.empty()) {
    const auto at = in.offset();
    const auto size = in.u24();
    const auto f = size && *size != 0 ? in.take(*size) : std::nullopt;
    if (!f) return base::fail(frame_errc::bad_bundle, at, "a length and as many octets");
    frames.push_back(base::to_bytes(*f));
  }
  return frames;
}

}  // namespace strata::mesh
