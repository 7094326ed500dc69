// The strict reader of RFC 8866 §9: one pass over the lines, each of which must fit where it stands.
#include <algorithm>

#include "base/bytes.hpp"
#include "base/ip_address.hpp"
#include "base/utf8.hpp"
#include "sdp/grammar.hpp"
#include "sdp/session_description.hpp"

namespace strata::sdp {
namespace {

using base::fail;

// Order of the lines (RFC 8866 §5). r and z belong to the t before them.
constexpr std::string_view session_order = "vosiuepcbtka";
constexpr std::string_view media_order = "micbka";
constexpr std::string_view once = "vosiuk";  // and c at session level

bool is_name(std::string_view s) noexcept {
  return !s.empty() && s.size() <= 255 &&
         std::all_of(s.begin(), s.end(), [](char c) { return is_alphanumeric(c) || c == '-' || c == '.' || c == '_'; });
}

bool is_multicast(const base::ip_address& a) noexcept { return a.is_multicast(); }

// RFC 8866 §5.7: a multicast IPv4 address has a TTL and perhaps a count, a multicast IPv6 address perhaps a count, any
// other neither. Names, and address types that we do not know, are taken as they are.
bool is_connection_address(std::string_view type, std::string_view text) {
  const auto parts = split(text, '/');
  if (type != "IP4" && type != "IP6") return is_token(parts.front()) || is_name(parts.front());
  const auto address = base::ip_address::parse(parts.front());
  if (!address) {
    // A number that is no address is no name either.
    const bool numeric =
        std::all_of(parts.front().begin(), parts.front().end(), [](char c) { return is_digit(c) || c == '.'; });
    return parts.size() == 1 && is_name(parts.front()) && !numeric;
  }
  if (address->is_v4() != (type == "IP4")) return false;
  if (!is_multicast(*address)) return parts.size() == 1;
  const std::size_t least = address->is_v4() ? 2 : 1;
  if (parts.size() < least || parts.size() > least + 1) return false;
  if (address->is_v4()) {
    const auto ttl = parse_number<std::uint32_t>(parts[1]);
    if (!ttl || *ttl > 255) return false;
  }
  if (parts.size() == least) return true;
  const auto count = parse_number<std::uint32_t>(parts[least]);
  return count && *count != 0;
}

struct line {
  char type = 0;
  std::string_view value;
  std::size_t offset = 0;
  [[nodiscard]] std::size_t value_offset() const noexcept { return offset + 2; }
};

class reader {
 public:
  explicit reader(std::string_view text) : text_(text) {}

  base::result<session_description> run() {
    if (text_.size() > largest_description) return fail(errc::too_large, largest_description, "at most 256 KiB");
    if (!base::is_utf8(base::as_bytes(text_))) return fail(errc::not_utf8, first_not_utf8(), "UTF-8");
    while (at_ < text_.size()) {
      const auto l = next_line();
      if (!l) return fail(l.error());
      if (l->type == 0) break;  // nothing but empty lines follows
      if (const auto taken = take(*l); !taken) return fail(taken.error());
    }
    if (const auto complete = finish_section(text_.size()); !complete) return fail(complete.error());
    return std::move(d_);
  }

 private:
  [[nodiscard]] std::size_t first_not_utf8() const noexcept {
    base::utf8_checker checker;
    for (std::size_t i = 0; i < text_.size(); ++i)
      if (!checker.feed(base::as_bytes(text_.substr(i, 1)))) return i;
    return text_.size();
  }

  base::result<line> next_line() {
    line l;
    l.offset = at_;
    const auto end = std::min(text_.find('\n', at_), text_.size());
    auto content = text_.substr(at_, end - at_);
    if (!content.empty() && content.back() == '\r') content.remove_suffix(1);
    if (content.empty() && text_.find_first_not_of("\r\n", at_) == std::string_view::npos) return l;
    at_ = std::min(end + 1, text_.size());
    // RFC 8866 §5.13: no CR and no NUL inside a line.
    const auto foreign = content.find_first_of(std::string_view("\r\0", 2));
    if (foreign != std::string_view::npos) return fail(errc::bad_line, l.offset + foreign, "no CR and no NUL inside a line");
    if (content.size() < 2 || content[1] != '=') return fail(errc::bad_line, l.offset, "a letter and '='");
    l.type = content[0];
    l.value = content.substr(2);
    return l;
  }

  [[nodiscard]] bool in_media() const noexcept { return !d_.media.empty(); }

  base::result<void> take(const line& l) {
    if (l.type == 'm') return take_media(l);
    if (std::string_view("vosiuepcbtrzka").find(l.type) == std::string_view::npos)
      return fail(errc::unknown_line, l.offset, "one of v o s i u e p c b t r z k a m");
    if (const auto placed = place(l); !placed) return placed;
    switch (l.type) {
      case 'v': return l.value == "0" ? base::result<void>() : fail(errc::bad_version, l.value_offset(), "0");
      case 'o': return take_origin(l);
      case 's':
        if (l.value.empty()) return fail(errc::bad_session_name, l.value_offset(), "a name, or -");
        d_.session_name = l.value;
        return {};
      case 'c': return take_connection(l);
      case 'b': return check_bandwidth(l);
      case 't': return take_time(l);
      case 'r':
      case 'z': return check_repeat(l);
      case 'a': return take_attribute(l);
      default:  // i, u, e, p, k
        if (l.value.empty()) return fail(errc::bad_text, l.value_offset(), "some text");
        return {};
    }
  }

  base::result<void> place(const line& l) {
    if (l.type == 'r' || l.type == 'z') {
      if (in_media() || rank_ != session_order.find('t')) return fail(errc::bad_order, l.offset, "r= and z= after t= only");
      return {};
    }
    const auto order = in_media() ? media_order : session_order;
    const auto rank = order.find(l.type);
    if (rank == std::string_view::npos) return fail(errc::bad_order, l.offset, "no such line in a media section");
    if (!in_media() && rank_ == std::string_view::npos && l.type != 'v') return fail(errc::missing_line, l.offset, "v=0 first");
    if (rank_ != std::string_view::npos) {
      const bool single = once.find(l.type) != std::string_view::npos || (l.type == 'c' && !in_media());
      if (rank < rank_) return fail(errc::bad_order, l.offset, "the order of RFC 8866");
      if (rank == rank_ && single) return fail(errc::bad_order, l.offset, "this line once");
    }
    if (!in_media()) {
      // o and s have to be there when what follows them comes.
      const auto reached = rank_ == std::string_view::npos ? 0 : rank_;
      if (rank > 1 && reached < 1) return fail(errc::missing_line, l.offset, "o=");
      if (rank > 2 && reached < 2) return fail(errc::missing_line, l.offset, "s=");
      if (l.type == 't') has_time_ = true;
      if (rank > session_order.find('t') && !has_time_) return fail(errc::missing_line, l.offset, "t=");
    }
    rank_ = rank;
    return {};
  }

  // At the end of the session part and of each media section.
  base::result<void> finish_section(std::size_t offset) {
    if (in_media()) {
      // RFC 8866 §5.7: a c= here or for the whole session.
      if (d_.media.back().connections.empty() && !d_.connection)
        return fail(errc::missing_line, d_.media.back().offset, "c= in the section or before the first");
      return {};
    }
    if (rank_ == std::string_view::npos) return fail(errc::missing_line, offset, "v=0");
    if (rank_ < 1) return fail(errc::missing_line, offset, "o=");
    if (rank_ < 2) return fail(errc::missing_line, offset, "s=");
    if (!has_time_) return fail(errc::missing_line, offset, "t=");
    return {};
  }

  base::result<void> take_origin(const line& l) {
    const auto words = split(l.value);
    if (words.size() != 6) return fail(errc::bad_origin, l.value_offset(), "six words");
    for (const auto& w : words)
      if (w.empty()) return fail(errc::bad_origin, l.value_offset(), "one space between words");
    if (!is_digits(words[1]) || !is_digits(words[2]))
      return fail(errc::bad_origin, l.value_offset(), "a numeric id and version");
    if (!is_token(words[3]) || !is_token(words[4]))
      return fail(errc::bad_origin, l.value_offset(), "a network and an address type");
    d_.origin = {std::string(words[0]), std::string(words[1]), std::string(words[2]),
                 std::string(words[3]), std::string(words[4]), std::string(words[5])};
    return {};
  }

  base::result<void> take_connection(const line& l) {
    const auto words = split(l.value);
    if (words.size() != 3) return fail(errc::bad_connection, l.value_offset(), "network type, address type, address");
    if (!is_token(words[0]) || !is_token(words[1])) return fail(errc::bad_connection, l.value_offset(), "IN IP4 or IN IP6");
    if (words[2].empty() || !is_connection_address(words[0] == "IN" ? words[1] : std::string_view("?"), words[2]))
      return fail(errc::bad_connection, l.value_offset(), "an address of that type, a TTL with IPv4 multicast only");
    sdp::connection c{std::string(words[0]), std::string(words[1]), std::string(words[2])};
    if (in_media()) d_.media.back().connections.push_back(std::move(c));
    else d_.connection = std::move(c);
    return {};
  }

  // RFC 8866 §5.8: types that we do not know are passed over, so all are.
  static base::result<void> check_bandwidth(const line& l) {
    const auto colon = std::min(l.value.find(':'), l.value.size());
    if (!is_token(l.value.substr(0, colon)) || colon == l.value.size() || !is_digits(l.value.substr(colon + 1)))
      return fail(errc::bad_bandwidth, l.value_offset(), "type:number");
    return {};
  }

  base::result<void> take_time(const line& l) {
    const auto words = split(l.value);
    if (words.size() != 2 || !is_digits(words[0]) || !is_digits(words[1]))
      return fail(errc::bad_timing, l.value_offset(), "two numbers");
    if (fresh_times_) d_.times.clear();
    fresh_times_ = false;
    d_.times.emplace_back(l.value);
    return {};
  }

  // RFC 8866 §5.10, §5.11: numbers with an optional unit; z in pairs, whose second may be negative.
  static base::result<void> check_repeat(const line& l) {
    const auto words = split(l.value);
    for (auto w : words) {
      if (l.type == 'z' && !w.empty() && w.front() == '-') w.remove_prefix(1);
      if (!w.empty() && std::string_view("dhms").find(w.back()) != std::string_view::npos) w.remove_suffix(1);
      if (!is_digits(w)) return fail(errc::bad_timing, l.value_offset(), "numbers with a unit d, h, m or s");
    }
    if (l.type == 'r' ? words.size() < 3 : words.size() % 2 != 0)
      return fail(errc::bad_timing, l.value_offset(), "more numbers");
    return {};
  }

  base::result<void> take_attribute(const line& l) {
    const auto colon = std::min(l.value.find(':'), l.value.size());
    const auto name = l.value.substr(0, colon);
    if (!is_token(name)) return fail(errc::bad_attribute, l.value_offset(), "a token as the attribute's name");
    attribute a = colon == l.value.size() ? attribute(name) : attribute(name, l.value.substr(colon + 1));
    a.offset = l.offset;
    (in_media() ? d_.media.back().attributes : d_.attributes).add(std::move(a));
    return {};
  }

  base::result<void> take_media(const line& l) {
    if (const auto complete = finish_section(l.offset); !complete) return complete;
    const auto words = split(l.value);
    if (words.size() < 4) return fail(errc::bad_media, l.value_offset(), "media, port, protocol and a format");
    media_description m;
    m.offset = l.offset;
    if (!is_token(words[0])) return fail(errc::bad_media, l.value_offset(), "a kind of media");
    m.media = words[0];
    const auto ports = split(words[1], '/');
    const auto port = parse_number<std::uint16_t>(ports[0]);
    if (!port || ports.size() > 2)
      return fail(errc::bad_media, l.value_offset() + words[0].size() + 1, "a port from 0 to 65535");
    m.port = *port;
    if (ports.size() == 2) {
      m.port_count = parse_number<std::uint32_t>(ports[1]);
      if (!m.port_count || *m.port_count == 0) return fail(errc::bad_media, l.value_offset(), "a count of ports");
    }
    if (!is_protocol(words[2])) return fail(errc::bad_media, l.value_offset(), "a protocol");
    m.protocol = words[2];
    for (std::size_t i = 3; i < words.size(); ++i) {
      if (!is_token(words[i])) return fail(errc::bad_media, l.value_offset(), "formats with one space between");
      m.formats.emplace_back(words[i]);
    }
    d_.media.push_back(std::move(m));
    rank_ = 0;
    return {};
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t rank_ = std::string_view::npos;  // of the last line in its order
  bool has_time_ = false;
  bool fresh_times_ = true;
  session_description d_;
};

}  // namespace

base::result<session_description> parse(std::string_view text) { return reader(text).run(); }

}  // namespace strata::sdp
