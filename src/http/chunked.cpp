#include "http/chunked.hpp"

#include <algorithm>

#include "http/grammar.hpp"

namespace strata::http {

using base::fail;

base::result<std::size_t> chunked_decoder::decode(base::byte_view data, std::string& out) {
  std::size_t at = 0;
  while (at < data.size() && state_ != state::done) {
    if (state_ == state::data) {
      const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(left_, data.size() - at));
      out.append(base::as_text(data.subspan(at, n)));
      at += n;
      left_ -= n;
      if (left_ == 0) state_ = state::data_cr;
      continue;
    }
    if (const auto stepped = step(static_cast<char>(data[at])); !stepped)
      return fail(static_cast<errc>(stepped.error().code.value()), at, stepped.error().expected);
    ++at;
  }
  return at;
}

base::result<void> chunked_decoder::step(char c) {
  const auto expect = [&](char wanted, state next) -> base::result<void> {
    if (c != wanted) return fail(errc::bad_chunk, base::error::nowhere, "CR LF");
    state_ = next;
    return {};
  };
  switch (state_) {
    case state::size:
      if (const auto digit = hex_value(c)) {
        // 15 digits cannot overflow; leading zeros beyond that have no purpose but to hide something.
        if (++digits_ > 15) return fail(errc::bad_chunk, base::error::nowhere, "a shorter chunk size");
        left_ = left_ << 4 | *digit;
        return {};
      }
      if (digits_ == 0) return fail(errc::bad_chunk, base::error::nowhere, "a chunk size in hexadecimal");
      if (left_ > max_body_ - total_) return fail(errc::body_too_large, base::error::nowhere, "a smaller body");
      line_ = 0;
      if (c == '\r') state_ = state::size_lf;
      else if (c == ';' || c == ' ' || c == '\t') state_ = state::extension;
      else return fail(errc::bad_chunk, base::error::nowhere, "CR LF after the chunk size");
      return {};
    case state::extension:
      if (c == '\r') {
        state_ = state::size_lf;
        return {};
      }
      if (!is_field_value_char(c) || ++line_ > max_line || ++overhead_ > max_overhead)
        return fail(errc::bad_chunk, base::error::nowhere, "a short chunk extension");
      return {};
    case state::size_lf: {
      last_ = left_ == 0;
      total_ += static_cast<std::size_t>(left_);
      digits_ = 0;
      // A chunk of one octet has at least five octets around it; a body of such chunks must end some time.
      if ((overhead_ += last_ ? 0 : left_ < 16 ? 1 : 0) > max_overhead)
        return fail(errc::bad_chunk, base::error::nowhere, "fewer tiny chunks");
      return expect('\n', last_ ? state::trailer_start : state::data);
    }
    case state::data_cr: return expect('\r', state::data_lf);
    case state::data_lf: return expect('\n', state::size);
    case state::trailer_start:
      if (c == '\r') {
        state_ = state::end_lf;
        return {};
      }
      if (!is_token_char(c)) return fail(errc::bad_chunk, base::error::nowhere, "a trailer field or the end");
      ++overhead_;
      state_ = state::trailer;
      return {};
    case state::trailer:
      if (c == '\r') {
        state_ = state::trailer_lf;
        return {};
      }
      if (!is_field_value_char(c) || ++overhead_ > max_overhead)
        return fail(errc::bad_chunk, base::error::nowhere, "a short trailer");
      return {};
    case state::trailer_lf: return expect('\n', state::trailer_start);
    case state::end_lf: return expect('\n', state::done);
    case state::data:
    case state::done: break;
  }
  return {};
}

}  // namespace strata::http
