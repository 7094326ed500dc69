// Lines of a local program: split in pieces as in one, parsed as commands; what goes back to the program fits its limits.
#include "mesh/ipc_line.hpp"

#include <vector>

#include "base/bytes.hpp"
#include "check.hpp"

using namespace strata;

namespace {
std::vector<std::string> lines_of(base::byte_view input, std::size_t piece) {
  mesh::line_splitter splitter(256);
  std::vector<std::string> lines;
  while (!input.empty()) {
    const auto part = input.first(std::min(piece, input.size()));
    input = input.subspan(part.size());
    splitter.feed(part);
    while (const auto line = splitter.next()) lines.push_back(*line ? **line : std::string("(too long)"));
  }
  return lines;
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const base::byte_view input(data, size);
  const auto whole = lines_of(input, size + 1);
  STRATA_FUZZ_CHECK(whole == lines_of(input, 1));
  STRATA_FUZZ_CHECK(whole == lines_of(input, 7));
  for (const auto& line : whole) {
    const auto c = mesh::parse_command(line);
    if (!c) continue;
    if (const auto event = mesh::message_event("peer", c->message)) {
      STRATA_FUZZ_CHECK(event->size() <= mesh::longest_line && event->find('\n') == event->npos);
      STRATA_FUZZ_CHECK(base::json::parse(*event));
    }
    const auto again = mesh::message::from(c->message.to_json());
    STRATA_FUZZ_CHECK(again ? again->to_json() == c->message.to_json() : c->message.type.empty());
    STRATA_FUZZ_CHECK(mesh::send_failed_event(*c, "why").size() <= mesh::longest_line);
  }
  return 0;
}
