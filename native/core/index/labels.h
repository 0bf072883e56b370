// Labels of entries, which the interface calls tags: what one call invalidates for all entries that have it. See
// docs/internals/protocol.md, "Labels".
//
// An entry notes each of its labels as a pair: the word that holds the label's generation, and the generation that it
// had before the value was made. The entry counts as expired once one of these words holds another number.
//
// Thread safety: any thread.
#ifndef MAPSAFE_CORE_LABELS_H_
#define MAPSAFE_CORE_LABELS_H_

#include "base/region.h"
#include "index/entry.h"

namespace mapsafe {

// Whether one of the labels that lie at a word was invalidated since it was noted.
//
// Acquire: what is read later in the same thread is no older than the invalidation that is met here.
inline bool AreInvalidated(const Region& region, WordIndex at, std::uint32_t count) {
  for (std::uint32_t left = count; left > 0; --left, at += kLabelWords) {
    const WordIndex generation = region.Load(at);
    if (generation >= region.word_count() || region.LoadAcquire(generation) != region.Load(at + 1)) return true;
  }
  return false;
}

// Whether one of the labels of an entry, whose lengths must have been checked, was invalidated since it was written.
// Like the header, reliable only once validated.
inline bool IsInvalidated(const Region& region, Block entry, const EntryHeader& header) {
  return AreInvalidated(region, WordOf(entry) + header.labels_offset(), header.label_count);
}

// The same for an entry that is held, or 0 for none.
inline bool IsInvalidated(const Region& region, Block entry) {
  if (entry == 0) return false;
  const EntryHeader header = ReadHeader(region, entry);
  return !region.Contains(entry, header.words()) || IsInvalidated(region, entry, header);
}

// Notes the present generations of the labels that lie at a word, of an entry that only this thread knows. One that is
// raised no more is not noted: the entry is invalid then.
inline void NoteGenerations(Region& region, WordIndex at, std::uint32_t count) {
  for (std::uint32_t left = count; left > 0; --left, at += kLabelWords) {
    const WordIndex word = region.Load(at);
    const Word generation = word < region.word_count() ? region.LoadAcquire(word) : kLabelRetired;
    if (generation != kLabelRetired) region.Store(at + 1, generation);
  }
}

// Notes that a segment has an entry with labels. Called by a writer that holds the bucket in which it is about to
// appear, so that a thread that holds all buckets meets both or neither. 1 stands for a time before all invalidations.
inline void NoteLabelled(Region& region, Block segment) {
  const WordIndex word = WordOf(segment) + kSegmentLabelled;
  if (region.Load(word) == 0) region.CompareAndSwap(word, 0, 1);
}

// The number of invalidations in the form in which segments note it: never 0.
inline Word InvalidationsNow(const Region& region) {
  return region.LoadAcquire(kHeaderInvalidations) | 1;
}

// Whether a segment may have entries that were invalidated since it was last looked at. Any thread.
inline bool MayHaveInvalidated(const Region& region, Block segment) {
  const Word looked = region.Load(WordOf(segment) + kSegmentLabelled);
  return looked != 0 && looked != InvalidationsNow(region);
}

// Bytes of a table of labels.
constexpr std::size_t LabelTableBytes(std::uint32_t level) {
  return level == 0 ? kSharedMarks * sizeof(Word) : std::size_t{kFirstLabelTableBytes} << (level - 1);
}

}  // namespace mapsafe

#endif  // MAPSAFE_CORE_LABELS_H_
