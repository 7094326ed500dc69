#include "stun/explain.hpp"

#include <algorithm>

#include "base/hex.hpp"
#include "stun/channel_data.hpp"
#include "stun/describe.hpp"
#include "stun/fingerprint.hpp"
#include "stun/message_view.hpp"
#include "stun/registry.hpp"
#include "stun/wire.hpp"

namespace strata::stun {
namespace {

constexpr std::string_view header_section = "RFC 8489 §5", attribute_section = "RFC 8489 §14",
                           channel_section = "RFC 8656 §12.4";
constexpr std::size_t row = 8;  // bytes a line

std::string count_of(std::size_t n) { return std::to_string(n) + (n == 1 ? " byte" : " bytes"); }

class explainer {
 public:
  explainer(base::byte_view data, const integrity_key* key) : data_(data), key_(key) {}

  explanation run() {
    if (is_channel_data(data_)) channel();
    else message();
    if (at_ < data_.size()) field(data_.size() - at_, count_of(data_.size() - at_) + " that belong to nothing", {});
    return std::move(out_);
  }

 private:
  void field(std::size_t size, std::string text, std::string_view section, unsigned depth = 0) {
    size = std::min(size, data_.size() - at_);
    if (size == 0) return;
    out_.fields.push_back({at_, size, std::move(text), section, depth});
    at_ += size;
  }

  void channel() {
    const auto parsed = channel_data::parse(data_);
    if (!parsed) out_.error = parsed.error();
    out_.summary = "ChannelData";
    if (data_.size() < channel_header_size) return;
    const std::size_t length = wire::u16(data_, 2);
    out_.summary += " on channel 0x" + base::to_hex(data_.first(2)) + ", " + count_of(length);
    field(2, "channel number", channel_section);
    field(2, "length " + std::to_string(length), channel_section);
    field(length, "application data", channel_section);
    if (parsed) field(data_.size() - at_, "padding", "RFC 8656 §12.5");
  }

  void message() {
    const auto parsed = message_view::parse(data_);
    if (parsed) verify(*parsed);
    else out_.error = parsed.error();
    out_.summary = "not a STUN message";
    if (data_.size() < 4) return;
    header();
    if (data_.size() < header_size) return;
    attributes(parsed ? &*parsed : nullptr);
  }

  void header() {
    const auto type = message_type::decode(wire::u16(data_, 0));
    const std::string name = name_of(type.method) + " " + std::string(name_of(type.class_));
    const auto* entry = find_entry(type.method);
    if ((data_[0] & 0xc0) == 0) out_.summary = name;
    field(2, (data_[0] & 0xc0) != 0 ? "the two top bits are not zero" : name,
          entry != nullptr ? entry->section : header_section);
    const std::size_t length = wire::u16(data_, 2);
    std::string text = "length " + std::to_string(length);
    if (length + header_size != data_.size()) {
      text += ", but " + count_of(data_.size() - std::min(data_.size(), header_size)) + " follow the header";
    }
    field(2, std::move(text), header_section);
    if (data_.size() < 8) return;
    field(4, wire::u32(data_, 4) == magic_cookie ? "magic cookie" : "no magic cookie", header_section);
    field(12, "transaction id " + base::to_hex(data_.subspan(8, std::min<std::size_t>(12, data_.size() - 8))), header_section);
  }

  // The attributes as far as their lengths can be believed.
  void attributes(const message_view* parsed) {
    transaction_id id;
    std::copy_n(data_.begin() + 8, id.size(), id.begin());
    const std::size_t end = std::min(data_.size(), header_size + wire::u16(data_, 2));
    message_view::iterator known;  // the same attributes, when the message is whole
    if (parsed != nullptr) known = parsed->begin();
    while (at_ + 4 <= end) {
      attribute a{static_cast<attribute_type>(wire::u16(data_, at_)), at_, {}, false};
      const std::size_t length = wire::u16(data_, at_ + 2);
      const auto* entry = find_entry(a.type);
      std::string name = name_of(a.type);
      if (entry == nullptr)
        name += comprehension_required(a.type) ? " (unknown, must be understood)" : " (unknown, may be ignored)";
      if (parsed != nullptr && (*known++).ignored) name += " (ignored: not covered by the integrity before it)";
      name += ", " + count_of(length);
      if (length == 0) name += ": " + describe(a, id);  // there is no line of its own for it
      field(4, std::move(name), entry != nullptr ? entry->section : attribute_section);
      if (length > data_.size() - at_) {
        field(data_.size() - at_, "only " + count_of(data_.size() - at_) + " are there", attribute_section, 1);
        return;
      }
      a.value = data_.subspan(at_, length);
      field(length, describe(a, id) + check(a.type, parsed), {}, 1);
      field(wire::padded(length) - length, "padding", attribute_section, 1);
    }
  }

  void verify(const message_view& m) {
    if (check_fingerprint(m) == fingerprint_check::invalid) {
      out_.error = base::error(errc::bad_fingerprint, *m.fingerprint_offset() + 4);
      return;
    }
    if (key_ == nullptr) return;
    if (const auto ok = check_integrity(m, *key_); !ok) out_.error = ok.error();
  }

  std::string check(attribute_type t, const message_view* m) const {
    if (m == nullptr) return {};
    switch (t) {
      case attribute_type::fingerprint: return check_fingerprint(*m) == fingerprint_check::valid ? " (right)" : " (WRONG)";
      case attribute_type::message_integrity:
        if (key_ == nullptr || !m->integrity_offset()) return " (not checked)";
        return check_message_integrity(*m, *key_) ? " (right)" : " (WRONG)";
      case attribute_type::message_integrity_sha256:
        if (key_ == nullptr || !m->integrity_sha256_offset()) return " (not checked)";
        return check_message_integrity_sha256(*m, *key_, 16) ? " (right)" : " (WRONG)";
      default: return {};
    }
  }

  base::byte_view data_;
  const integrity_key* key_;
  explanation out_;
  std::size_t at_ = 0;
};

std::string hex_offset(std::size_t at) {
  const std::uint8_t b[2] = {static_cast<std::uint8_t>(at >> 8), static_cast<std::uint8_t>(at)};
  return base::to_hex(b);
}

// A column of `row` bytes.
void append_hex(std::string& out, base::byte_view d) {
  constexpr std::string_view digits = "0123456789abcdef";
  for (const auto octet : d) (out += digits[octet >> 4], out += digits[octet & 15], out += ' ');
  out.append((row - d.size()) * 3, ' ');
}

}  // namespace

explanation explain(base::byte_view data, const integrity_key* key) { return explainer(data, key).run(); }

std::string to_text(const explanation& e, base::byte_view data) {
  std::string out = e.summary + " (" + count_of(data.size()) + ")\n";
  for (const auto& f : e.fields) {
    for (std::size_t i = 0; i < f.size; i += row) {
      out += hex_offset(f.offset + i) + "  ";
      append_hex(out, data.subspan(f.offset + i, std::min(row, f.size - i)));
      if (i == 0) {
        out += " " + std::string(2 * f.depth, ' ') + f.text;
        if (!f.section.empty()) out += "  [" + std::string(f.section) + "]";
      }
      while (out.back() == ' ') out.pop_back();
      out += '\n';
    }
  }
  out += e.error ? "invalid: " + e.error->message() + "\n" : "valid\n";
  return out;
}

}  // namespace strata::stun
