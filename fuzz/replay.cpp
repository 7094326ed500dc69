// Runs a fuzz target over the inputs of its corpus without a fuzzer: what script/test does with every target.
// usage: replay-NAME FOLDER-OR-FILE...   Also tries each input cut short at every length up to 512, since parsers fail at
// edges.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {
std::size_t runs = 0;

// A copy on the heap of exactly that size, so that one octet too far is an error AddressSanitizer sees.
void run(const std::vector<char>& input, std::size_t size) {
  const std::unique_ptr<std::uint8_t[]> exact(new std::uint8_t[size]);
  std::copy_n(input.begin(), size, exact.get());
  LLVMFuzzerTestOneInput(exact.get(), size);
  ++runs;
}

void run_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::vector<char> input(std::istreambuf_iterator<char>(file), {});
  run(input, input.size());
  for (std::size_t size = 0; size < std::min<std::size_t>(input.size(), 512); ++size) run(input, size);
}
}  // namespace

int main(int count, char** arguments) {
  std::size_t files = 0;
  for (int i = 1; i < count; ++i) {
    std::vector<std::filesystem::path> paths;
    if (std::filesystem::is_directory(arguments[i])) {
      for (const auto& entry : std::filesystem::directory_iterator(arguments[i])) paths.push_back(entry.path());
      std::sort(paths.begin(), paths.end());
    } else {
      paths.emplace_back(arguments[i]);
    }
    for (const auto& path : paths) run_file(path);
    files += paths.size();
  }
  std::printf("%zu inputs, %zu runs\n", files, runs);
  return files == 0;  // a target without a corpus proves nothing
}
