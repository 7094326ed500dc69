#include "simulation/replay.hpp"

#include <fstream>
#include <iterator>

#include "trace/recorder.hpp"
#include "trace/timeline.hpp"

namespace strata::simulation {

base::result<outcome> replay(const plan& p, const std::string& path) {
  constexpr base::wall_time epoch = std::chrono::sys_days(std::chrono::year(2026) / 1 / 1);  // of sim::host::wall_now
  auto recorder = trace::recorder::create(path, "strata-sim", epoch);
  if (!recorder) return base::fail(recorder.error());
  auto o = run(p, recorder->get());
  recorder->reset();
  std::ifstream file(path, std::ios::binary);
  const std::vector<char> octets{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  const auto contents = trace::pcapng::read({reinterpret_cast<const std::uint8_t*>(octets.data()), octets.size()});
  if (!contents) return base::fail(contents.error());
  std::ofstream(path + ".txt") << trace::timeline(*contents);
  return o;
}

}  // namespace strata::simulation
