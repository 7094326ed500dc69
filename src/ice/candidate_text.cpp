#include "ice/candidate_text.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <optional>

#include "ice/error.hpp"

namespace strata::ice {
namespace {

constexpr std::size_t longest_line = 2048;  // a line of ours has some 100 bytes, a browser's some 200
constexpr std::size_t most_extensions = 32;

bool is_space(char c) { return c == ' ' || c == '\t'; }
bool is_alphanumeric(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

// One word of the line, and where it stands in what was given to parse_candidate().
struct word {
  std::string_view text;
  std::size_t offset = 0;
};

class words {
 public:
  words(std::string_view whole, std::size_t at) : whole_(whole), at_(at) {}
  std::optional<word> next() {
    while (at_ < whole_.size() && is_space(whole_[at_])) ++at_;
    if (at_ == whole_.size()) return std::nullopt;
    const auto begin = at_;
    while (at_ < whole_.size() && !is_space(whole_[at_])) ++at_;
    return word{whole_.substr(begin, at_ - begin), begin};
  }
  [[nodiscard]] std::size_t offset() const { return at_; }

 private:
  std::string_view whole_;
  std::size_t at_;
};

template <class Number>
std::optional<Number> number(std::string_view digits, std::size_t most_digits) {
  Number value{};
  if (digits.empty() || digits.size() > most_digits) return std::nullopt;
  const auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (problem != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

bool is_name(std::string_view text) {
  if (text.size() > 253 || text.front() == '.' || text.front() == '-') return false;
  const auto allowed = [](char c) { return is_alphanumeric(c) || c == '.' || c == '-' || c == '_'; };
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  return std::ranges::all_of(text, allowed) && std::ranges::any_of(text, letter);
}

// A scope means something on the machine that says it only.
std::optional<base::ip_address> address_without_scope(std::string_view text) {
  if (text.find('%') != std::string_view::npos) return std::nullopt;
  return base::ip_address::parse(text);
}

std::optional<candidate_type> type_of(std::string_view text) {
  for (auto t :
       {candidate_type::host, candidate_type::server_reflexive, candidate_type::peer_reflexive, candidate_type::relayed})
    if (text == to_string(t)) return t;
  return std::nullopt;
}

std::optional<tcp_type> tcp_type_of(std::string_view text) {
  for (auto t : {tcp_type::active, tcp_type::passive, tcp_type::simultaneous_open})
    if (text == to_string(t)) return t;
  return std::nullopt;
}

class parser {
 public:
  parser(std::string_view text, std::size_t at) : words_(text, at) {}

  base::result<candidate> parse() {
    for (auto step : {&parser::foundation, &parser::component, &parser::protocol, &parser::priority, &parser::address,
                      &parser::port, &parser::type, &parser::extensions})
      if (auto done = (this->*step)(); !done) return base::fail(done.error());
    return std::move(candidate_);
  }

 private:
  using outcome = base::result<void>;

  base::result<word> expect(std::string_view what) {
    auto w = words_.next();
    if (!w) return base::fail(errc::malformed, words_.offset(), what);
    return *w;
  }

  outcome foundation() {
    const auto w = expect("a foundation");
    if (!w) return base::fail(w.error());
    if (!std::ranges::all_of(w->text, is_ice_char)) return base::fail(errc::malformed, w->offset, "letters, digits, + or /");
    if (w->text.size() > 32) return base::fail(errc::out_of_range, w->offset, "at most 32 characters");
    candidate_.foundation = w->text;
    return {};
  }
  outcome component() {
    const auto w = expect("a component id");
    if (!w) return base::fail(w.error());
    const auto value = number<std::uint32_t>(w->text, 5);
    if (!value) return base::fail(errc::malformed, w->offset, "one to five digits");
    // RFC 8839 §5.1: 1 to 256, though the grammar has room for more.
    if (*value < 1 || *value > 256) return base::fail(errc::out_of_range, w->offset, "1 to 256");
    candidate_.component = static_cast<std::uint16_t>(*value);
    return {};
  }
  outcome protocol() {
    const auto w = expect("a transport");
    if (!w) return base::fail(w.error());
    if (equals_ignoring_case(w->text, "udp")) candidate_.protocol = transport::udp;
    else if (equals_ignoring_case(w->text, "tcp")) candidate_.protocol = transport::tcp;
    else return base::fail(errc::unsupported_transport, w->offset, "UDP or TCP");
    return {};
  }
  outcome priority() {
    const auto w = expect("a priority");
    if (!w) return base::fail(w.error());
    const auto value = number<std::uint64_t>(w->text, 10);
    if (!value) return base::fail(errc::malformed, w->offset, "one to ten digits");
    if (*value < 1 || *value > 0x7fffffff) return base::fail(errc::out_of_range, w->offset, "1 to 2147483647");
    candidate_.priority = static_cast<std::uint32_t>(*value);
    return {};
  }
  outcome address() {
    const auto w = expect("an address");
    if (!w) return base::fail(w.error());
    if (auto ip = address_without_scope(w->text)) candidate_.address.address = *ip;
    else if (is_name(w->text)) candidate_.name = w->text;
    else return base::fail(errc::unsupported_address, w->offset, "an IPv4 or IPv6 address or a name");
    return {};
  }
  outcome port() {
    const auto w = expect("a port");
    if (!w) return base::fail(w.error());
    const auto value = base::parse_port(w->text);
    if (!value) return base::fail(errc::malformed, w->offset, "0 to 65535");
    // RFC 6544 §4.5: an active TCP candidate has no port of its own; whatever stands there is not used.
    if (*value == 0 && candidate_.protocol == transport::udp) return base::fail(errc::out_of_range, w->offset, "1 to 65535");
    candidate_.address.port = *value;
    return {};
  }
  outcome type() {
    const auto keyword = expect("typ");
    if (!keyword) return base::fail(keyword.error());
    if (keyword->text != "typ") return base::fail(errc::malformed, keyword->offset, "typ");
    const auto w = expect("a candidate type");
    if (!w) return base::fail(w.error());
    const auto t = type_of(w->text);
    if (!t) return base::fail(errc::unsupported_type, w->offset, "host, srflx, prflx or relay");
    candidate_.type = *t;
    return {};
  }
  // RFC 8839 §5.1: names and values; what is not known is kept and passed over. A last name without a value does not
  // cost the peer its candidate.
  outcome extensions() {
    while (const auto name = words_.next()) {
      const auto value = words_.next();
      if (!value) break;
      if (auto done = extension(*name, *value); !done) return done;
    }
    if (related_) candidate_.related = base::endpoint{*related_, related_port_};
    return {};
  }
  outcome extension(const word& name, const word& value) {
    if (name.text == "raddr") {
      if (auto ip = address_without_scope(value.text); ip && !related_) related_ = *ip;
      return {};
    }
    if (name.text == "rport") {
      const auto p = base::parse_port(value.text);
      if (!p) return base::fail(errc::malformed, value.offset, "0 to 65535");
      related_port_ = *p;
      return {};
    }
    if (name.text == "tcptype" && !candidate_.tcptype && tcp_type_of(value.text)) {
      candidate_.tcptype = tcp_type_of(value.text);
    } else if (const auto g = number<std::uint32_t>(value.text, 10); name.text == "generation" && !candidate_.generation && g) {
      candidate_.generation = g;
    } else if (name.text == "ufrag" && candidate_.ufrag.empty()) {
      candidate_.ufrag = value.text;
    } else {
      if (candidate_.extensions.size() == most_extensions)
        return base::fail(errc::too_many, name.offset, "at most 32 extensions");
      candidate_.extensions.push_back({std::string(name.text), std::string(value.text)});
    }
    return {};
  }

  words words_;
  candidate candidate_;
  std::optional<base::ip_address> related_;
  std::uint16_t related_port_ = 0;
};

}  // namespace

bool is_ice_char(char c) noexcept { return is_alphanumeric(c) || c == '+' || c == '/'; }

std::string format(const candidate& c) {
  std::string line = "candidate:" + c.foundation + ' ' + std::to_string(c.component) + ' ';
  line += to_string(c.protocol);
  line += ' ' + std::to_string(c.priority) + ' ' + (c.name.empty() ? c.address.address.to_string() : c.name);
  line += ' ' + std::to_string(c.address.port) + " typ ";
  line += to_string(c.type);
  if (c.type != candidate_type::host) {
    // RFC 8839 §5.1: always there for derived candidates; whoever hides the address writes the unspecified one and port 9.
    const auto related = c.related.value_or(base::endpoint{base::ip_address::any(c.address.address.family()), 9});
    line += " raddr " + related.address.to_string() + " rport " + std::to_string(related.port);
  }
  const auto extend = [&](std::string_view name, std::string_view value) { (((line += ' ') += name) += ' ') += value; };
  if (c.tcptype) extend("tcptype", to_string(*c.tcptype));
  if (c.generation) extend("generation", std::to_string(*c.generation));
  if (!c.ufrag.empty()) extend("ufrag", c.ufrag);
  for (const auto& e : c.extensions) extend(e.name, e.value);
  return line;
}

base::result<candidate> parse_candidate(std::string_view text) {
  if (text.size() > longest_line) return base::fail(errc::malformed, longest_line, "at most 2048 bytes");
  const std::size_t end = [&] {
    auto n = text.size();
    while (n > 0 && (text[n - 1] == '\r' || text[n - 1] == '\n' || is_space(text[n - 1]))) --n;
    return n;
  }();
  text = text.substr(0, end);
  const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\t'; };
  if (const auto bad = std::ranges::find_if(text, control); bad != text.end())
    return base::fail(errc::malformed, static_cast<std::size_t>(bad - text.begin()), "no control characters");

  std::size_t at = 0;
  if (text.substr(at).starts_with("a=")) at += 2;
  if (text.substr(at) == "end-of-candidates") return base::fail(errc::end_of_candidates);
  constexpr std::string_view attribute = "candidate:";
  if (text.substr(at).starts_with(attribute)) at += attribute.size();
  if (at == text.size()) return base::fail(errc::end_of_candidates);
  return parser(text, at).parse();
}

}  // namespace strata::ice
