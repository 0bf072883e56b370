#include "eviction/nodes.h"

#include <algorithm>
#include <vector>

namespace mapsafe {

namespace {

// A further chunk adds as many nodes as there are, up to this number: there should be few runs that never move, and
// adding one should be short.
constexpr std::uint64_t kMaxChunkPages = 64;

}  // namespace

void Nodes::Relink() {
  for (const std::uint32_t queue : {kPartitionCold, kPartitionMain}) {
    for (const std::uint32_t field : {kQueueOldest, kQueueNewest, kQueueSize}) Set(queue + field, 0);
  }
  Set(kPartitionFreeNodes, 0);
  Word nodes = 0;
  Visit([&](Block node) {
    ++nodes;
    const Word state = Get(node, kNodeState);
    if (state == kNodeFree) return Free(node);
    Push(state == kNodeInMain ? kPartitionMain : kPartitionCold, node);
  });
  Set(kPartitionNodes, nodes);
}

Block Nodes::Take() {
  const Block node = Get(kPartitionFreeNodes);
  if (!IsNode(node)) return 0;
  Set(kPartitionFreeNodes, Get(node, kNodeNext));
  return node;
}

bool Nodes::AddChunk(PageSource* source) {
  const std::uint64_t bytes = std::uint64_t{Get(kPartitionNodes)} * kNodeBytes;
  if (bytes == 0) return AddPages(source, Get(kPartitionFirstPages));
  return AddPages(source, std::min((bytes + kPageBytes - 1) / kPageBytes, kMaxChunkPages)) || AddPages(source, 1);
}

bool Nodes::AddPages(PageSource* source, std::uint64_t pages) {
  const std::uint32_t nodes = Get(kPartitionNodes);
  const Block chunk = source->AllocatePages(pages);
  if (chunk == 0) return false;
  const auto added = static_cast<std::uint32_t>(pages * kPageBytes / kNodeBytes - 1);
  for (std::uint32_t index = 1; index <= added; ++index) {
    for (std::uint32_t word = 0; word < kNodeBytes / sizeof(Word); ++word) Set(chunk + index * kNodeBlocks, word, 0);
  }
  Set(chunk, kChunkNext, Get(kPartitionChunks));
  Set(chunk, kChunkNodes, added);
  // Release: a thread that rebuilds the queues after our death finds all of the chunk, or nothing.
  region_.StoreRelease(at_ + kPartitionChunks, chunk);
  Set(kPartitionNodes, nodes + added);
  for (std::uint32_t index = added; index > 0; --index) Free(chunk + index * kNodeBlocks);
  return true;
}

bool Nodes::IsIdle(Block chunk) const {
  const Word nodes = Get(chunk, kChunkNodes);
  for (std::uint32_t index = 1; index <= nodes; ++index) {
    if (Get(chunk + index * kNodeBlocks, kNodeState) != kNodeFree) return false;
  }
  return true;
}

void Nodes::DropIdleChunks(PageSource* source) {
  const auto is_chunk = [this](Block chunk) {
    return IsNode(chunk) &&
           region_.Contains(chunk, (std::size_t{Get(chunk, kChunkNodes)} + 1) * kNodeBytes / sizeof(Word));
  };
  std::vector<Block> chunks;
  for (Block chunk = Get(kPartitionChunks); is_chunk(chunk); chunk = Get(chunk, kChunkNext)) {
    if (chunks.size() == region_.block_count() / kPageBlocks) return;  // damaged
    chunks.push_back(chunk);
  }
  // If this thread dies, its partition is rebuilt from the chunks that are left.
  Set(kPartitionFreeNodes, 0);
  std::vector<Block> idle;
  Block later = 0;  // the chunk before this one in the list
  Word nodes = 0;
  for (const Block chunk : chunks) {
    if (IsIdle(chunk)) {
      idle.push_back(chunk);
      continue;
    }
    if (later == 0) {
      region_.StoreRelease(at_ + kPartitionChunks, chunk);
    } else {
      region_.StoreRelease(WordOf(later) + kChunkNext, chunk);
    }
    later = chunk;
    nodes += Get(chunk, kChunkNodes);
    for (std::uint32_t index = Get(chunk, kChunkNodes); index > 0; --index) {
      const Block node = chunk + index * kNodeBlocks;
      if (Get(node, kNodeState) == kNodeFree) Free(node);
    }
  }
  if (later == 0) {
    region_.StoreRelease(at_ + kPartitionChunks, 0);
  } else {
    region_.StoreRelease(WordOf(later) + kChunkNext, 0);
  }
  Set(kPartitionNodes, nodes);
  for (const Block chunk : idle) source->FreeChunk(chunk);
}

Block Nodes::Oldest(std::uint32_t queue) const {
  const Block node = Get(queue + kQueueOldest);
  return IsNode(node) ? node : 0;
}

void Nodes::Push(std::uint32_t queue, Block node) {
  const Block newest = Get(queue + kQueueNewest);
  Set(node, kNodeNext, 0);
  Set(node, kNodePrevious, newest);
  if (IsNode(newest)) {
    Set(newest, kNodeNext, node);
  } else {
    Set(queue + kQueueOldest, node);
  }
  Set(queue + kQueueNewest, node);
  Set(queue + kQueueSize, Get(queue + kQueueSize) + 1);
}

void Nodes::Free(Block node) {
  Set(node, kNodeNext, Get(kPartitionFreeNodes));
  Set(kPartitionFreeNodes, node);
}

void Nodes::Remove(std::uint32_t queue, Block node) {
  const Block next = Get(node, kNodeNext);
  const Block previous = Get(node, kNodePrevious);
  if (IsNode(previous)) {
    Set(previous, kNodeNext, next);
  } else {
    Set(queue + kQueueOldest, next);
  }
  if (IsNode(next)) {
    Set(next, kNodePrevious, previous);
  } else {
    Set(queue + kQueueNewest, previous);
  }
  Set(queue + kQueueSize, Get(queue + kQueueSize) - 1);
}

}  // namespace mapsafe
