#include "walk/label_copy.h"

#include "index/labels.h"

namespace mapsafe {

namespace {

// How often the copy is made anew because something was invalidated meanwhile. After that many, invalidations come
// faster than memory can be copied; then each label alone is of one instant.
constexpr int kMaxCopies = 64;

}  // namespace

void LabelCopy::Take(const Region& region) {
  for (int copies = 0; copies < kMaxCopies; ++copies) {
    // An invalidation counts itself before it raises a generation. So if two that follow each other were met the later
    // without the earlier, the later one's count has come after this load.
    const Word before = region.LoadAcquire(kHeaderInvalidations);
    any_ = false;
    for (std::uint32_t level = 0; level < kLabelLevels; ++level) {
      const Block block = region.LoadAcquire(kHeaderLabelTables + level);
      const std::size_t words = LabelTableBytes(level) / sizeof(Word);
      Table& table = tables_[level];
      table.generations.clear();
      if (block == 0 || !region.Contains(block, words)) continue;
      any_ = true;
      table.at = WordOf(block);
      table.stride = level == 0 ? 1 : kLabelSlotWords;
      table.generations.reserve(words / table.stride);
      for (std::size_t i = 0; i < words; i += table.stride) {
        table.generations.push_back(region.LoadAcquire(table.at + i + kLabelGeneration));
      }
    }
    if (region.LoadAcquire(kHeaderInvalidations) == before) return;
  }
}

bool LabelCopy::IsCurrent(WordIndex word, Word generation) const {
  for (const Table& table : tables_) {
    if (word < table.at) continue;
    const std::size_t slot = (word - table.at) / table.stride;
    if (slot < table.generations.size()) return table.generations[slot] == generation;
  }
  return false;
}

bool LabelCopy::IsInvalidated(const Word* entry, const EntryHeader& header) const {
  const Word* pair = entry + header.labels_offset();
  for (std::uint32_t left = header.label_count; left > 0; --left, pair += kLabelWords) {
    if (!IsCurrent(pair[0], pair[1])) return true;
  }
  return false;
}

}  // namespace mapsafe
