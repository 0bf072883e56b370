// Checks of one entry by itself. See src/format/check/verify-entry.ts.
#ifndef MAPSAFE_CORE_VERIFY_ENTRY_H_
#define MAPSAFE_CORE_VERIFY_ENTRY_H_

#include <string>
#include <vector>

#include "base/half_sip_hash.h"
#include "base/region.h"

namespace mapsafe {

struct EntryHeader;

// The key of an entry that lies within the region, as words.
std::vector<Word> KeyOf(const Region& region, Block entry, const EntryHeader& header);

// What is wrong with an entry that lies within the region: each as the end of a sentence about its block.
std::vector<std::string> ProblemsOfEntry(const Region& region, HashSecret secret, Block entry,
                                         const EntryHeader& header, const std::vector<Word>& key);

}  // namespace mapsafe

#endif  // MAPSAFE_CORE_VERIFY_ENTRY_H_
