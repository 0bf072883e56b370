// The generations of all labels at one instant, by which a snapshot tells what was invalidated then.
//
// Thread safety: one thread.
#ifndef MAPSAFE_CORE_LABEL_COPY_H_
#define MAPSAFE_CORE_LABEL_COPY_H_

#include <array>
#include <vector>

#include "core.h"

namespace mapsafe {

class LabelCopy {
 public:
  // Copies the generations as they are at one instant between begin and end of the call. O(slots of the tables).
  void Take(const Region& region);

  // Whether there are labels at all.
  bool any() const { return any_; }

  // Whether one of the labels of a copied entry had been invalidated. The entry lies within its copy.
  bool IsInvalidated(const Word* entry, const EntryHeader& header) const;

 private:
  struct Table {
    WordIndex at = 0;
    std::size_t stride = 1;  // words from one generation to the next
    std::vector<Word> generations;
  };

  bool IsCurrent(WordIndex word, Word generation) const;

  std::array<Table, kLabelLevels> tables_;
  bool any_ = false;
};

}  // namespace mapsafe

#endif  // MAPSAFE_CORE_LABEL_COPY_H_
