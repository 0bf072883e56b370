#include "check/verify_eviction.h"

#include <algorithm>
#include <array>
#include <sstream>
#include <utility>

#include "eviction/area.h"
#include "eviction/queues.h"

namespace mapsafe {

namespace {

template <typename... Numbers>
std::string Text(const char* what, Numbers... numbers) {
  std::ostringstream text;
  text << what;
  ((text << ' ' << numbers), ...);
  return text.str();
}

}  // namespace

EvictionAudit::EvictionAudit(Region region, Use use, Problem problem)
    : region_(region), use_(std::move(use)), problem_(std::move(problem)), partitions_(PartitionsOf(region)) {}

void EvictionAudit::Run() {
  const Block area = region_.Load(kHeaderEviction);
  if (partitions_.empty()) {
    if (area != 0) problem_(Text("no cache area: block", area));
    return;
  }
  use_(area, AreaPages(static_cast<std::uint32_t>(partitions_.size())), "cache area");
  for (const WordIndex at : partitions_) CheckPartition(at);
}

void EvictionAudit::CheckEntry(Block entry) {
  const Block node = Get(entry, kEntryNode);
  if (partitions_.empty()) {
    if (node != 0) problem_(Text("a node, but no cache: entry", entry));
  } else if (nodes_.count(node) == 0 || Get(node, kNodeState) == kNodeFree) {
    problem_(Text("node in no queue: entry, node", entry, node));
  } else if (Get(node, kNodeHash) != Get(entry, kEntryHash)) {
    problem_(Text("node of another hash: entry, node", entry, node));
  } else if (!owned_.insert(node).second) {
    problem_(Text("node of two entries: entry, node", entry, node));
  }
}

void EvictionAudit::CheckPartition(WordIndex at) {
  if (region_.Load(at + kPartitionMutex) != 0) problem_(Text("partition's mutex held: partition", at));
  if (region_.Load(at + kPartitionColdShare) > kColdShareOne) problem_(Text("cold share above one: partition", at));
  const std::uint32_t nodes = ReadChunks(at);
  const std::uint32_t cold = WalkQueue(at, at + kPartitionCold, {kNodeInCold, kNodeInColdDemoted});
  const std::uint32_t main = WalkQueue(at, at + kPartitionMain, {kNodeInMain});
  const std::uint32_t free = WalkFree(at);
  if (nodes != region_.Load(at + kPartitionNodes) || cold + main + free != nodes) {
    problem_(Text("nodes do not add up: partition, nodes, cold, main, free", at, nodes, cold, main, free));
  }
  const Word limit = region_.Load(at + kPartitionLimit);
  if (limit != 0 && cold + main > limit) problem_(Text("too many entries: partition, limit", at, limit));
  CheckGhosts(at);
}

std::uint32_t EvictionAudit::ReadChunks(WordIndex at) {
  std::uint32_t nodes = 0;
  for (Block chunk = region_.Load(at + kPartitionChunks); chunk != 0; chunk = Get(chunk, kChunkNext)) {
    const std::uint64_t added = region_.Contains(chunk, 2) ? Get(chunk, kChunkNodes) : 0;
    const std::uint64_t bytes = (added + 1) * kNodeBytes;
    if (added == 0 || !region_.Contains(chunk, bytes / sizeof(Word)) ||
        !use_(chunk, bytes / kPageBytes, "node chunk")) {
      problem_(Text("no chunk of nodes: block", chunk));
      break;
    }
    for (std::uint32_t index = 1; index <= added; ++index) nodes_.emplace(chunk + index * kNodeBlocks, at);
    nodes += static_cast<std::uint32_t>(added);
  }
  return nodes;
}

// Number of nodes in a queue.
std::uint32_t EvictionAudit::WalkQueue(WordIndex at, WordIndex queue, std::initializer_list<Word> states) {
  std::uint32_t count = 0;
  Block previous = 0;
  for (Block node = region_.Load(queue + kQueueOldest); node != 0; node = Get(node, kNodeNext)) {
    const auto found = nodes_.find(node);
    const bool belongs = found != nodes_.end() && found->second == at && count < nodes_.size() &&
                         std::find(states.begin(), states.end(), Get(node, kNodeState)) != states.end();
    if (!belongs) {
      problem_(Text("not of this queue: block, queue", node, queue));
      return count;
    }
    if (Get(node, kNodePrevious) != previous) problem_(Text("wrong back link: node", node));
    if (Get(node, kNodeOwner) != 0) problem_(Text("insert not over: node", node));
    ++count;
    previous = node;
  }
  if (region_.Load(queue + kQueueNewest) != previous) problem_(Text("wrong end: queue", queue));
  if (region_.Load(queue + kQueueSize) != count) problem_(Text("wrong size: queue, nodes", queue, count));
  return count;
}

std::uint32_t EvictionAudit::WalkFree(WordIndex at) {
  std::uint32_t count = 0;
  for (Block node = region_.Load(at + kPartitionFreeNodes); node != 0; node = Get(node, kNodeNext)) {
    const auto found = nodes_.find(node);
    if (found == nodes_.end() || found->second != at || Get(node, kNodeState) != kNodeFree || count >= nodes_.size()) {
      problem_(Text("no free node: block", node));
      break;
    }
    ++count;
  }
  return count;
}

void EvictionAudit::CheckGhosts(WordIndex at) {
  const Block table = region_.Load(at + kPartitionGhosts);
  const std::uint32_t buckets = region_.Load(at + kPartitionGhostBuckets);
  const std::size_t words = GhostBytes(buckets) / sizeof(Word);
  std::array<Word, 2> counts{};
  if (buckets != 0) {
    if (!region_.Contains(table, words) || !use_(table, GhostPages(buckets), "ghost table")) {
      return problem_(Text("no ghost table: block", table));
    }
    for (std::size_t ghost = 0; ghost < words; ghost += kGhostWords) {
      const Word mark = region_.Load(WordOf(table) + ghost + kGhostTag);
      if (mark != 0) ++counts[mark & 1];
    }
  }
  for (std::uint32_t i = 0; i < counts.size(); ++i) {
    if (region_.Load(at + kPartitionGhostCounts + i) != counts[i]) problem_(Text("ghosts miscounted: partition", at));
  }
}

}  // namespace mapsafe
