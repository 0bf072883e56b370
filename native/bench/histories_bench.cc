// What an allocator makes of a history: a std::unordered_map of strings lives through the operations of a file, as
// bench/cases/histories.ts writes it, on whichever malloc the program is linked or preloaded with.
//
//   histories_bench FILE [--times N] [--json]
//
// The file has two words for each operation: a key, and the bytes of its new value plus 1, or 0 to delete it; key
// 2^32 - 1 empties the map. Printed are the operations a millisecond, the longest of them in milliseconds (each is as
// long as the shortest of its N times), and the resident bytes at the end and at most, beyond those at the beginning.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
using Map = std::unordered_map<std::string, std::string>;

constexpr std::uint32_t kAll = 0xffffffff;
constexpr std::size_t kKeyDigits = 8;
constexpr std::size_t kLooks = 4096;  // operations between two looks at the resident bytes

std::vector<std::uint32_t> Read(const char* path) {
  std::vector<std::uint32_t> words;
  std::FILE* file = std::fopen(path, "rb");
  if (file == nullptr) return words;
  std::uint32_t word = 0;
  while (std::fread(&word, sizeof word, 1, file) == 1) words.push_back(word);
  std::fclose(file);
  return words;
}

double ResidentBytes() {
  std::FILE* file = std::fopen("/proc/self/statm", "r");
  if (file == nullptr) return 0;
  unsigned long total = 0, resident = 0;
  const int read = std::fscanf(file, "%lu %lu", &total, &resident);
  std::fclose(file);
  return read == 2 ? static_cast<double>(resident) * 4096 : 0;
}

// As the keys of the JavaScript program: 'k' and the number to base 36, padded.
std::string KeyOf(std::uint32_t number) {
  std::string key(kKeyDigits + 1, '0');
  key[0] = 'k';
  for (std::size_t at = kKeyDigits; number != 0; number /= 36, --at)
    key[at] = "0123456789abcdefghijklmnopqrstuvwxyz"[number % 36];
  return key;
}

struct Outcome {
  double total = 0;  // milliseconds
  double longest = 0;
  double resident = 0;
  double peak = 0;
  std::size_t live = 0;
};

double Since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

void Live(const std::vector<std::uint32_t>& operations, std::vector<float>* times, Outcome* outcome) {
  const std::string bytes(std::size_t{1} << 20, 'x');
  const double before = ResidentBytes();
  Map map;
  for (std::size_t at = 0; at + 1 < operations.size(); at += 2) {
    const std::uint32_t number = operations[at];
    const std::uint32_t what = operations[at + 1];
    const std::string key = KeyOf(number);
    const auto start = Clock::now();
    if (number == kAll) {
      map.clear();
    } else if (what == 0) {
      map.erase(key);
    } else {
      // A new block for each value, as an entry that is published has one.
      map[key] = std::string(bytes, 0, what - 1);
    }
    const double time = number == kAll ? 0 : Since(start);
    float& known = (*times)[at / 2];
    known = std::min(known, static_cast<float>(time));
    if (at / 2 % kLooks == 0) outcome->peak = std::max(outcome->peak, ResidentBytes() - before);
  }
  outcome->resident = ResidentBytes() - before;
  outcome->peak = std::max(outcome->peak, outcome->resident);
  outcome->live = 0;
  for (const auto& [key, value] : map) outcome->live += key.size() + value.size();
}

}  // namespace

int main(int argc, char** argv) {
  const char* path = nullptr;
  int rounds = 2;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--times" && i + 1 < argc) {
      rounds = std::atoi(argv[++i]);
    } else if (argument != "--json") {
      path = argv[i];
    }
  }
  const std::vector<std::uint32_t> operations = path == nullptr ? std::vector<std::uint32_t>{} : Read(path);
  if (operations.empty()) {
    std::fprintf(stderr, "usage: histories_bench FILE [--times N] [--json]\n");
    return 2;
  }
  std::vector<float> times(operations.size() / 2, std::numeric_limits<float>::infinity());
  Outcome first;
  Live(operations, &times, &first);
  for (int round = 1; round < rounds; ++round) {
    Outcome again;
    Live(operations, &times, &again);
  }
  for (const float time : times) {
    first.total += static_cast<double>(time);
    first.longest = std::max(first.longest, static_cast<double>(time));
  }
  std::printf(R"([{"rate": %.3f, "longest": %.3f, "resident": %.0f, "peak": %.0f, "live": %zu}])",
              static_cast<double>(times.size()) / first.total, first.longest, first.resident, first.peak, first.live);
  std::printf("\n");
  return 0;
}
