#include "dtls/client_hello_reassembly.hpp"

#include <algorithm>
#include <cassert>

namespace strata::dtls {
namespace {

bool is_hello_record(const record_view& r) noexcept {
  return r.type == content_type::handshake && r.epoch == 0 && !r.fragment.empty() && r.fragment[0] == client_hello_type;
}

}  // namespace

client_hello_reassembly::outcome client_hello_reassembly::take(base::byte_view datagram) {
  outcome seen{verdict::not_a_hello};
  base::byte_view rest = datagram;
  while (const auto record = take_record(rest)) {
    // A ClientHello is a flight of its own, so other records beside it are nobody's and fall under the table.
    if (!is_hello_record(*record)) continue;
    seen = {verdict::incomplete};
    base::byte_view content = record->fragment;
    while (!content.empty()) {
      const bool alone = content.size() == record->fragment.size();
      const auto fragment = take_fragment(content);
      if (!fragment || fragment->type != client_hello_type) return {verdict::refused, {}, "malformed ClientHello fragment"};
      if (fragment->length < smallest_hello) return {verdict::refused, {}, "ClientHello too short"};
      if (fragment->length > largest_hello) return {verdict::refused, {}, "ClientHello too long"};
      if (fragment->whole() && alone && content.empty() && rest.empty() &&
          record->fragment.size() + record_header_size == datagram.size()) {
        clear();
        return {verdict::complete, datagram};  // the usual hello of anybody but a browser: not copied
      }
      switch (add(*fragment, *record)) {
        case added::more_to_come: break;
        case added::all: return {verdict::complete, finish()};
        case added::too_many_gaps: return {verdict::refused, {}, "ClientHello in too many pieces"};
      }
    }
  }
  assert(invariant());
  return seen;
}

client_hello_reassembly::added client_hello_reassembly::add(const handshake_fragment& f, const record_view& r) {
  if (!continues(f)) begin(f);
  version_ = r.version;
  record_sequence_ = std::max(record_sequence_, r.sequence);
  std::copy(f.body.begin(), f.body.end(), body_.begin() + f.offset);
  if (!f.body.empty() && !insert({f.offset, f.offset + f.body.size()})) {
    clear();
    return added::too_many_gaps;
  }
  return present_.size() == 1 && present_[0].from == 0 && present_[0].to == body_.size() ? added::all : added::more_to_come;
}

// The same message as the one begun, and the same octets wherever both say something.
bool client_hello_reassembly::continues(const handshake_fragment& f) const noexcept {
  if (!active_ || f.message_sequence != message_sequence_ || f.length != body_.size()) return false;
  for (const range& have : present_) {
    const std::size_t from = std::max<std::size_t>(have.from, f.offset);
    const std::size_t to = std::min<std::size_t>(have.to, f.offset + f.body.size());
    if (from >= to) continue;
    if (!std::equal(body_.begin() + static_cast<std::ptrdiff_t>(from), body_.begin() + static_cast<std::ptrdiff_t>(to),
                    f.body.begin() + static_cast<std::ptrdiff_t>(from - f.offset)))
      return false;
  }
  return true;
}

void client_hello_reassembly::begin(const handshake_fragment& f) {
  active_ = true;
  message_sequence_ = f.message_sequence;
  record_sequence_ = 0;
  body_.assign(f.length, 0);
  present_.clear();
}

bool client_hello_reassembly::insert(range r) {
  const auto first = std::find_if(present_.begin(), present_.end(), [&](const range& p) { return p.to >= r.from; });
  auto last = first;
  for (; last != present_.end() && last->from <= r.to; ++last) {
    r.from = std::min(r.from, last->from);
    r.to = std::max(r.to, last->to);
  }
  if (first == last && present_.size() == most_gaps) return false;
  present_.insert(present_.erase(first, last), r);
  return true;
}

base::byte_view client_hello_reassembly::finish() {
  out_ = write_handshake_record(version_, record_sequence_, client_hello_type, message_sequence_, body_);
  clear();
  return out_;
}

void client_hello_reassembly::clear() noexcept {
  active_ = false;
  body_ = {};
  present_.clear();
}

bool client_hello_reassembly::invariant() const noexcept {
  if (!active_) return body_.empty() && present_.empty();
  if (body_.size() > largest_hello || present_.size() > most_gaps) return false;
  std::size_t end = 0;
  for (std::size_t i = 0; i < present_.size(); ++i) {
    if (present_[i].from >= present_[i].to || (i != 0 && present_[i].from <= end)) return false;
    end = present_[i].to;
  }
  return end <= body_.size();
}

}  // namespace strata::dtls
