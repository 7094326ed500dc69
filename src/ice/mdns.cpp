#include "ice/mdns.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "base/byte_reader.hpp"
#include "base/byte_writer.hpp"
#include "ice/error.hpp"

namespace strata::ice::mdns {
namespace {

constexpr std::uint16_t class_in = 1;
constexpr std::uint16_t top_bit = 0x8000;
constexpr std::size_t longest_name = 253;  // RFC 1035 §2.3.4, as text
constexpr std::size_t most_records = 128;  // of a datagram that has room for many more, and for nobody
constexpr std::size_t largest = 9000;      // RFC 6762 §17

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool is_encodable(std::string_view name) {
  if (name.empty() || name.size() > longest_name) return false;
  for (std::size_t at = 0;;) {
    const auto dot = std::min(name.find('.', at), name.size());
    if (dot == at || dot - at > 63) return false;
    if (dot == name.size()) return true;
    at = dot + 1;
  }
}

void write_name(base::byte_writer& w, std::string_view name) {
  for (std::size_t at = 0; at <= name.size();) {
    const auto dot = std::min(name.find('.', at), name.size());
    w.u8(static_cast<std::uint8_t>(dot - at));
    w.write(base::as_bytes(name.substr(at, dot - at)));
    at = dot + 1;
  }
  w.u8(0);
}

// Follows compression, backwards only: every jump has to lead before the place it is read at, so there is no loop.
std::optional<std::string> read_name(base::byte_reader& r, base::byte_view whole) {
  std::string name;
  std::size_t limit = r.offset();
  base::byte_reader* in = &r;
  base::byte_reader elsewhere(whole);
  for (;;) {
    const auto length = in->u8();
    if (!length) return std::nullopt;
    if (*length == 0) return name;
    if ((*length & 0xc0) == 0xc0) {
      const auto low = in->u8();
      if (!low) return std::nullopt;
      const std::size_t target = static_cast<std::size_t>(*length & 0x3f) << 8 | *low;
      if (target >= limit) return std::nullopt;
      limit = target;
      elsewhere = base::byte_reader(whole);
      elsewhere.skip(target);
      in = &elsewhere;
      continue;
    }
    if ((*length & 0xc0) != 0) return std::nullopt;  // RFC 1035 §4.1.4: reserved
    const auto label = in->take(*length);
    if (!label || name.size() + 1 + label->size() > longest_name + 1) return std::nullopt;
    if (!name.empty()) name += '.';
    for (const auto octet : *label) {
      const char c = static_cast<char>(octet);
      // A dot inside a label could not be told from one between labels: no host name has it.
      if (c == '.') return std::nullopt;
      name += lower(c);
    }
    if (name.size() > longest_name) return std::nullopt;
  }
}

std::optional<record_type> known(std::uint16_t type) {
  if (type == static_cast<std::uint16_t>(record_type::a)) return record_type::a;
  if (type == static_cast<std::uint16_t>(record_type::aaaa)) return record_type::aaaa;
  return std::nullopt;
}

bool read_question(base::byte_reader& r, base::byte_view whole, message& m) {
  auto name = read_name(r, whole);
  const auto type = r.u16();
  const auto class_ = r.u16();
  if (!name || !type || !class_) return false;
  if (const auto t = known(*type); t && (*class_ & ~top_bit) == class_in && !name->empty())
    m.questions.push_back({std::move(*name), *t, (*class_ & top_bit) != 0});
  return true;
}

bool read_record(base::byte_reader& r, base::byte_view whole, message& m) {
  auto name = read_name(r, whole);
  const auto type = r.u16();
  const auto class_ = r.u16();
  const auto ttl = r.u32();
  const auto length = r.u16();
  if (!name || !type || !class_ || !ttl || !length) return false;
  const auto data = r.take(*length);
  if (!data) return false;
  if ((*class_ & ~top_bit) != class_in || name->empty()) return true;
  if (known(*type) == record_type::a && data->size() == 4) {
    m.answers.push_back({std::move(*name), base::ip_address::v4((*data)[0], (*data)[1], (*data)[2], (*data)[3]), *ttl});
  } else if (known(*type) == record_type::aaaa && data->size() == 16) {
    std::array<std::uint8_t, 16> octets{};
    std::ranges::copy(*data, octets.begin());
    m.answers.push_back({std::move(*name), base::ip_address::v6(octets), *ttl});
  }
  return true;
}

}  // namespace

base::ip_address group(base::ip_family f) noexcept {
  if (f == base::ip_family::v4) return base::ip_address::v4(224, 0, 0, 251);
  return base::ip_address::v6({0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xfb});
}

message ask(std::string_view name, bool unicast) {
  std::string text(name);
  std::ranges::transform(text, text.begin(), lower);
  message m;
  m.questions = {{text, record_type::a, unicast}, {text, record_type::aaaa, unicast}};
  return m;
}

base::bytes encode(const message& m) {
  std::vector<question> questions;
  std::vector<answer> answers;
  std::ranges::copy_if(m.questions, std::back_inserter(questions), [](const question& q) { return is_encodable(q.name); });
  std::ranges::copy_if(m.answers, std::back_inserter(answers), [](const answer& a) { return is_encodable(a.name); });
  base::bytes out;
  base::byte_writer w(out);
  w.u16(0);                        // RFC 6762 §18.1
  w.u16(m.response ? 0x8400 : 0);  // §18.2, §18.4: QR and AA in answers
  w.u16(static_cast<std::uint16_t>(questions.size()));
  w.u16(static_cast<std::uint16_t>(answers.size()));
  w.u32(0);
  for (const auto& q : questions) {
    write_name(w, q.name);
    w.u16(static_cast<std::uint16_t>(q.type));
    w.u16(static_cast<std::uint16_t>(class_in | (q.unicast ? top_bit : 0)));
  }
  for (const auto& a : answers) {
    write_name(w, a.name);
    w.u16(static_cast<std::uint16_t>(a.address.is_v4() ? record_type::a : record_type::aaaa));
    w.u16(class_in | top_bit);
    w.u32(a.ttl);
    w.u16(static_cast<std::uint16_t>(a.address.octets().size()));
    w.write(a.address.octets());
  }
  return out;
}

base::result<message> decode(base::byte_view datagram) {
  if (datagram.size() > largest) return base::fail(errc::malformed, largest, "at most 9000 bytes");
  base::byte_reader r(datagram);
  r.skip(2);  // the id: answers to multicast questions need not repeat it
  const auto flags = r.u16();
  std::array<std::size_t, 4> counts{};
  for (auto& count : counts) {
    const auto n = r.u16();
    if (!n) return base::fail(errc::malformed, r.offset(), "a 12-byte header");
    count = *n;
  }
  if (counts[0] + counts[1] + counts[2] + counts[3] > most_records) return base::fail(errc::too_many, 4, "at most 128 records");
  // RFC 6762 §18.3, §18.11: other operations and errors are not for us.
  if ((*flags & 0x780f) != 0) return base::fail(errc::malformed, 2, "a standard query without error");
  message m;
  m.response = (*flags & top_bit) != 0;
  for (std::size_t i = 0; i < counts[0]; ++i)
    if (!read_question(r, datagram, m)) return base::fail(errc::malformed, r.offset(), "a question");
  for (std::size_t i = 0; i < counts[1] + counts[2] + counts[3]; ++i)
    if (!read_record(r, datagram, m)) return base::fail(errc::malformed, r.offset(), "a resource record");
  return m;
}

}  // namespace strata::ice::mdns
