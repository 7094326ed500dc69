#include "simulation/run.hpp"

#include "sim/process_clock.hpp"
#include "simulation/world.hpp"

namespace strata::simulation {
namespace {

std::string first_lines(std::string_view text, std::size_t most) {
  std::size_t end = 0;
  while (most-- != 0 && end < text.size()) end = std::min(text.find('\n', end), text.size() - 1) + 1;
  return std::string(text.substr(0, end));
}

}  // namespace

outcome run(const plan& p, trace::sink* sink) {
  outcome o;
  auto w = std::make_unique<world>(p, sink);
  sim::follow(&w->net.loop(), p.seed);
  const auto begin = w->net.now();
  try {
    o.failure = w->net.run(w->live());
  } catch (const sim::deadlock& e) {
    o.failure = "deadlock: " + first_lines(e.what(), 60);
  } catch (const sim::overtime& e) {
    o.failure = "overtime: " + first_lines(e.what(), 60);
  } catch (const std::exception& e) {
    o.failure = std::string("exception: ") + e.what();
  }
  o.virtual_seconds = base::milliseconds(w->net.now() - begin) / 1000;
  if (auto left = w->left_behind(); o.failure.empty()) o.failure = std::move(left);
  o.hash = w->hash();
  o.messages = w->books.counted();
  o.linked_again = w->linked_again;
  w.reset();
  sim::follow(nullptr);
  return o;
}

}  // namespace strata::simulation
