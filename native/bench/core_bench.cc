// The C++ core against other C++ concurrent maps: 20-byte string keys, 100-byte values, mixes of reads and overwrites.
//
//   core_bench [--seconds S] [--threads 1,2,4] [--keys 4096,1000000] [--json]
//
// libcuckoo and TBB take part where they were found at build time. Every map copies the value out on a read and checks
// it; every thread walks its own random sequence of keys. The figure is the median of the rounds, in million operations
// a second.
#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <functional>
#include <memory>
#include <mutex>
#include <random>
#include <shared_mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "engine.h"
#include "format.h"

#ifdef MAPSAFE_HAVE_LIBCUCKOO
#include <libcuckoo/cuckoohash_map.hh>
#endif
#ifdef MAPSAFE_HAVE_TBB
#include <tbb/concurrent_hash_map.h>
#endif

namespace {

constexpr std::size_t kValueBytes = 100;
using Clock = std::chrono::steady_clock;

// Operations of a thread on a map. Read copies the value into `to` and returns its length, 0 if absent.
class Session {
 public:
  virtual ~Session() = default;
  virtual std::size_t Read(const std::string& key, char* to) = 0;
  virtual void Write(const std::string& key, const char* value) = 0;
};

class SharedMap {
 public:
  virtual ~SharedMap() = default;
  virtual std::unique_ptr<Session> Open() = 0;
};

class Mapsafe : public SharedMap {
 public:
  Mapsafe() : base_(mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)) {
    mapsafe::FormatRegion(base_, kBytes, {0x243f6a88, 0x85a308d3});
  }
  ~Mapsafe() override { munmap(base_, kBytes); }

  std::unique_ptr<Session> Open() override { return std::make_unique<Thread>(base_); }

 private:
  static constexpr std::size_t kBytes = std::size_t{1} << 30;

  class Thread : public Session {
   public:
    explicit Thread(void* base) : engine_(mapsafe::Engine::Attach(base, kBytes, {1, 1}, &outcome_)) {}

    std::size_t Read(const std::string& key, char* to) override {
      engine_->SetScratch(reinterpret_cast<std::byte*>(to), kValueBytes);
      engine_->Get(Encode(key));
      return outcome_.status == mapsafe::Status::kFound ? outcome_.length : 0;
    }
    void Write(const std::string& key, const char* value) override {
      engine_->Put(Encode(key), {reinterpret_cast<const std::byte*>(value), kValueBytes, mapsafe::kValueLatin1},
                   mapsafe::kPutAlways, 0);
    }

   private:
    mapsafe::Key Encode(const std::string& key) {
      words_[(key.size() - 1) / 4] = 0;
      std::memcpy(words_, key.data(), key.size());
      mapsafe::Key encoded{words_, static_cast<std::uint32_t>(key.size()), mapsafe::kKeyLatin1, 0};
      engine_->Hash(&encoded);
      return encoded;
    }

    mapsafe::Outcome outcome_{};
    std::unique_ptr<mapsafe::Engine> engine_;
    mapsafe::Word words_[16];
  };

  void* base_;
};

// The other maps keep no state for a thread.
template <typename Map>
class Stateless : public SharedMap {
 public:
  std::unique_ptr<Session> Open() override { return std::make_unique<Thread>(&map_); }

 private:
  class Thread : public Session {
   public:
    explicit Thread(Map* map) : map_(map) {}
    std::size_t Read(const std::string& key, char* to) override { return map_->Read(key, to); }
    void Write(const std::string& key, const char* value) override { map_->Write(key, value); }

   private:
    Map* map_;
  };

  Map map_;
};

#ifdef MAPSAFE_HAVE_LIBCUCKOO
class Cuckoo {
 public:
  std::size_t Read(const std::string& key, char* to) {
    std::size_t length = 0;
    map_.find_fn(key, [&](const std::string& value) {
      length = value.size();
      std::memcpy(to, value.data(), length);
    });
    return length;
  }
  void Write(const std::string& key, const char* value) { map_.insert_or_assign(key, std::string(value, kValueBytes)); }

 private:
  libcuckoo::cuckoohash_map<std::string, std::string> map_;
};
#endif

#ifdef MAPSAFE_HAVE_TBB
class Tbb {
 public:
  std::size_t Read(const std::string& key, char* to) {
    Map::const_accessor found;
    if (!map_.find(found, key)) return 0;
    std::memcpy(to, found->second.data(), found->second.size());
    return found->second.size();
  }
  void Write(const std::string& key, const char* value) {
    Map::accessor found;
    map_.insert(found, key);
    found->second.assign(value, kValueBytes);
  }

 private:
  using Map = tbb::concurrent_hash_map<std::string, std::string>;
  Map map_;
};
#endif

class LockedMap {
 public:
  std::size_t Read(const std::string& key, char* to) {
    const std::shared_lock lock(mutex_);
    const auto found = map_.find(key);
    if (found == map_.end()) return 0;
    std::memcpy(to, found->second.data(), found->second.size());
    return found->second.size();
  }
  void Write(const std::string& key, const char* value) {
    const std::unique_lock lock(mutex_);
    map_[key].assign(value, kValueBytes);
  }

 private:
  std::shared_mutex mutex_;
  std::unordered_map<std::string, std::string> map_;
};

std::string KeyOf(std::size_t n) {
  std::string key = "user:session:" + std::to_string(n);
  key.resize(20, '.');
  return key;
}

// Million operations a second of `threads` threads over `seconds`.
double Measure(SharedMap& map, const std::vector<std::string>& keys, std::size_t threads, int write_percent,
               double seconds) {
  std::atomic<std::size_t> ready{0};
  std::atomic<bool> go{false};
  std::atomic<bool> stop{false};
  std::vector<double> rates(threads);
  std::vector<std::thread> workers;
  for (std::size_t t = 0; t < threads; ++t) {
    workers.emplace_back([&, t] {
      const std::unique_ptr<Session> session = map.Open();
      std::mt19937_64 random(t + 1);
      std::vector<std::uint32_t> order(1 << 16);
      for (std::uint32_t& n : order) n = static_cast<std::uint32_t>(random() % keys.size());
      char value[kValueBytes];
      char out[kValueBytes];
      std::memset(value, static_cast<int>('a' + t), kValueBytes);
      ++ready;
      while (!go.load()) {
      }
      const auto start = Clock::now();
      std::uint64_t operations = 0;
      while (!stop.load(std::memory_order_relaxed)) {
        for (int i = 0; i < 256; ++i, ++operations) {
          const std::string& key = keys[order[operations & 0xffff]];
          if (static_cast<int>(operations * 41 % 100) < write_percent) {
            session->Write(key, value);
          } else if (session->Read(key, out) != kValueBytes || out[0] != out[kValueBytes - 1]) {
            std::fprintf(stderr, "wrong value for %s\n", key.c_str());
            std::abort();
          }
        }
      }
      const std::chrono::duration<double> spent = Clock::now() - start;
      rates[t] = static_cast<double>(operations) / spent.count() / 1e6;
    });
  }
  while (ready.load() < threads) {
  }
  go = true;
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  stop = true;
  for (std::thread& worker : workers) worker.join();
  double sum = 0;
  for (const double rate : rates) sum += rate;
  return sum;
}

// The numbers in a list like "1,2,4".
std::vector<std::size_t> ParseList(char* list) {
  std::vector<std::size_t> numbers;
  for (char* part = std::strtok(list, ","); part != nullptr; part = std::strtok(nullptr, ",")) {
    numbers.push_back(std::strtoull(part, nullptr, 10));
  }
  return numbers;
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

struct Contender {
  const char* name;
  std::function<std::unique_ptr<SharedMap>()> make;
};

}  // namespace

int main(int argc, char** argv) {
  double seconds = 0.5;
  bool json = false;
  std::vector<std::size_t> thread_counts{1, 2};
  std::vector<std::size_t> key_counts{4096, 1000000};
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--seconds" && i + 1 < argc) {
      seconds = std::stod(argv[++i]);
    } else if (argument == "--threads" && i + 1 < argc) {
      thread_counts = ParseList(argv[++i]);
    } else if (argument == "--keys" && i + 1 < argc) {
      key_counts = ParseList(argv[++i]);
    } else if (argument == "--json") {
      json = true;
    } else {
      std::fprintf(stderr, "usage: core_bench [--seconds S] [--threads 1,2,4] [--keys 4096,1000000] [--json]\n");
      return 2;
    }
  }
  const std::vector<Contender> contenders = {
      {"mapsafe", [] { return std::make_unique<Mapsafe>(); }},
#ifdef MAPSAFE_HAVE_LIBCUCKOO
      {"libcuckoo", [] { return std::make_unique<Stateless<Cuckoo>>(); }},
#endif
#ifdef MAPSAFE_HAVE_TBB
      {"TBB", [] { return std::make_unique<Stateless<Tbb>>(); }},
#endif
      {"shared_mutex", [] { return std::make_unique<Stateless<LockedMap>>(); }},
  };
  constexpr int kRounds = 3;
  if (!json) std::printf("%8s %8s %7s  %s\n", "keys", "threads", "writes", "Mops/s");
  bool first = true;
  if (json) std::printf("[");
  for (const std::size_t key_count : key_counts) {
    std::vector<std::string> keys;
    for (std::size_t n = 0; n < key_count; ++n) keys.push_back(KeyOf(n));
    std::vector<std::unique_ptr<SharedMap>> maps;
    const std::string value(kValueBytes, 'v');
    for (const Contender& contender : contenders) {
      maps.push_back(contender.make());
      const std::unique_ptr<Session> session = maps.back()->Open();
      for (const std::string& key : keys) session->Write(key, value.data());
    }
    for (const std::size_t threads : thread_counts) {
      for (const int write_percent : {0, 5, 50}) {
        // Rounds are interleaved, so that a slow moment of the machine meets every contender.
        std::vector<std::vector<double>> rates(contenders.size());
        for (int round = 0; round < kRounds; ++round) {
          for (std::size_t c = 0; c < contenders.size(); ++c) {
            rates[c].push_back(Measure(*maps[c], keys, threads, write_percent, seconds));
          }
        }
        if (!json) std::printf("%8zu %8zu %6d%%  ", key_count, threads, write_percent);
        for (std::size_t c = 0; c < contenders.size(); ++c) {
          const double median = Median(rates[c]);
          if (json) {
            std::printf("%s\n{\"keys\":%zu,\"threads\":%zu,\"writes\":%d,\"map\":\"%s\",\"mops\":%.2f}",
                        first ? "" : ",", key_count, threads, write_percent, contenders[c].name, median);
            first = false;
          } else {
            std::printf("%s %.1f  ", contenders[c].name, median);
          }
        }
        if (!json) std::printf("\n");
        std::fflush(stdout);
      }
    }
  }
  if (json) std::printf("\n]\n");
  return 0;
}
