#include "sdp/session_description.hpp"

#include <algorithm>

#include "base/bytes.hpp"
#include "sdp/grammar.hpp"

namespace strata::sdp {

const attribute* attributes::find(std::string_view name) const noexcept {
  const auto found = std::find_if(list_.begin(), list_.end(), [&](const attribute& a) { return a.name == name; });
  return found == list_.end() ? nullptr : &*found;
}

std::size_t attributes::count(std::string_view name) const noexcept {
  return static_cast<std::size_t>(
      std::count_if(list_.begin(), list_.end(), [&](const attribute& a) { return a.name == name; }));
}

namespace {

// Whatever a value holds, it cannot become a line of its own.
void append_text(std::string& out, std::string_view text) {
  for (const char c : text)
    if (c != '\r' && c != '\n' && c != '\0') out += c;
}

void append_line(std::string& out, char type, std::initializer_list<std::string_view> words) {
  out += type;
  out += '=';
  bool first = true;
  for (const auto word : words) {
    if (!first) out += ' ';
    first = false;
    append_text(out, word);
  }
  out += "\r\n";
}

void append_connection(std::string& out, const connection& c) {
  append_line(out, 'c', {c.network_type, c.address_type, c.address});
}

void append_attributes(std::string& out, const attributes& list) {
  for (const auto& a : list) {
    out += "a=";
    append_text(out, a.name);
    if (a.has_value) {
      out += ':';
      append_text(out, a.value);
    }
    out += "\r\n";
  }
}

void append_media(std::string& out, const media_description& m) {
  out += "m=";
  append_text(out, m.media);
  out += ' ' + std::to_string(m.port);
  if (m.port_count) out += '/' + std::to_string(*m.port_count);
  out += ' ';
  append_text(out, m.protocol);
  for (const auto& f : m.formats) {
    out += ' ';
    append_text(out, f);
  }
  out += "\r\n";
  for (const auto& c : m.connections) append_connection(out, c);
  append_attributes(out, m.attributes);
}

}  // namespace

// RFC 8866 §5: v o s c t a m, in this order; the other lines are never written (RFC 8829 §5.2.1, RFC 8866 §5.12).
std::string format(const session_description& d) {
  std::string out = "v=0\r\n";
  const auto& o = d.origin;
  append_line(out, 'o', {o.username, o.session_id, o.session_version, o.network_type, o.address_type, o.address});
  append_line(out, 's', {d.session_name.empty() ? std::string_view("-") : std::string_view(d.session_name)});
  if (d.connection) append_connection(out, *d.connection);
  for (const auto& t : d.times) append_line(out, 't', {t});
  append_attributes(out, d.attributes);
  for (const auto& m : d.media) append_media(out, m);
  return out;
}

std::size_t line_of(std::string_view text, std::size_t offset) noexcept {
  const auto before = text.substr(0, std::min(offset, text.size()));
  return 1 + static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n'));
}

std::string explain(const base::error& e, std::string_view text) {
  auto sentence = std::string(e.code.category().name()) + ": " + e.code.message();
  if (e.offset != base::error::nowhere)
    sentence += ", line " + std::to_string(line_of(text, e.offset)) + " (byte " + std::to_string(e.offset) + ")";
  if (!e.expected.empty()) sentence += ": expected " + std::string(e.expected);
  return sentence;
}

}  // namespace strata::sdp
