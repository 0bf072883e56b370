// The cost of false sharing: the headers of two segments on one cache line, on neighbouring lines, and as far apart as
// the region format puts them.
//
//   padding_bench [--seconds S] [--json]
//
// Two threads never touch the same word. In "locks" each takes and gives back the mutex of a segment of its own; in
// "reads" one thread reads the local depth of its segment, as every lookup does, while the other takes the mutex of the
// other segment. The figures are million operations a second of the first thread, the median of the rounds.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "base/layout.h"

namespace {

using Clock = std::chrono::steady_clock;
using SharedWord = std::atomic<std::uint32_t>;

constexpr int kRounds = 5;
constexpr std::size_t kWordBytes = sizeof(SharedWord);

enum class Work { kLock, kRead };

// One operation on a segment's header, of which only the word concerned matters here.
void Operate(Work work, SharedWord* word) {
  if (work == Work::kRead) {
    static_cast<void>(word->load(std::memory_order_acquire));
    return;
  }
  std::uint32_t free = 0;
  word->compare_exchange_strong(free, 1, std::memory_order_acquire, std::memory_order_relaxed);
  word->store(0, std::memory_order_release);
}

// Million operations a second of the thread that does `work`, while another locks the word `distance` bytes on.
double Measure(Work work, std::size_t distance, double seconds) {
  alignas(256) static SharedWord words[256];
  std::atomic<int> ready{0};
  std::atomic<bool> stop{false};
  double rate = 0;
  const auto run = [&](Work mine, SharedWord* word, double* result) {
    ++ready;
    while (ready.load() < 2) {
    }
    const auto start = Clock::now();
    std::uint64_t operations = 0;
    for (; !stop.load(std::memory_order_relaxed); operations += 64) {
      for (int i = 0; i < 64; ++i) Operate(mine, word);
    }
    const std::chrono::duration<double> spent = Clock::now() - start;
    if (result != nullptr) *result = static_cast<double>(operations) / spent.count() / 1e6;
  };
  std::thread first(run, work, &words[0], &rate);
  std::thread second(run, Work::kLock, &words[distance / kWordBytes], nullptr);
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  stop = true;
  first.join();
  second.join();
  return rate;
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

}  // namespace

int main(int argc, char** argv) {
  double seconds = 0.3;
  bool json = false;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--seconds" && i + 1 < argc) {
      seconds = std::stod(argv[++i]);
    } else if (argument == "--json") {
      json = true;
    } else {
      std::fprintf(stderr, "usage: padding_bench [--seconds S] [--json]\n");
      return 2;
    }
  }
  // The mutex is alone on its line pair: the next word that is written lies kSegmentDepth words on.
  const std::vector<std::size_t> distances = {kWordBytes, mapsafe::kLineBytes, mapsafe::kSegmentDepth * kWordBytes};
  if (json) std::printf("[");
  bool first = true;
  for (const Work work : {Work::kLock, Work::kRead}) {
    const char* name = work == Work::kLock ? "locks" : "reads";
    std::vector<std::vector<double>> rates(distances.size());
    for (int round = 0; round < kRounds; ++round) {
      for (std::size_t d = 0; d < distances.size(); ++d) rates[d].push_back(Measure(work, distances[d], seconds));
    }
    for (std::size_t d = 0; d < distances.size(); ++d) {
      const double median = Median(rates[d]);
      if (json) {
        std::printf("%s\n{\"work\":\"%s\",\"distance\":%zu,\"mops\":%.2f}", first ? "" : ",", name, distances[d],
                    median);
        first = false;
      } else {
        std::printf("%s, %3zu bytes apart: %.1f Mops/s\n", name, distances[d], median);
      }
    }
  }
  if (json) std::printf("\n]\n");
  return 0;
}
