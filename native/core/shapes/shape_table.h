// The shapes of values: every name list that objects have, as a tree of parents and one more name each. See
// docs/internals/format.md and docs/internals/protocol.md, "Shapes".
//
// Thread safety: any thread may read; shapes are never changed. Append and FinishAppend need the table's mutex, or that
// its holder is dead.
// Safety relies on no word of the table: ids, places and lengths are checked where they are read, and every walk goes
// from greater ids to smaller ones.
#ifndef MAPSAFE_CORE_SHAPE_TABLE_H_
#define MAPSAFE_CORE_SHAPE_TABLE_H_

#include <algorithm>
#include <array>
#include <bit>
#include <optional>

#include "base/region.h"

namespace mapsafe {

using ShapeId = Word;  // 0 is the root, the shape without names

// A property name, encoded as keys are: the last word padded with zeros.
struct ShapeName {
  std::array<Word, kShapeNameBytes / sizeof(Word)> words;
  Word bytes;
  Word kind;  // kKeyLatin1 or kKeyUtf16

  std::size_t word_count() const { return (bytes + sizeof(Word) - 1) / sizeof(Word); }
  bool operator==(const ShapeName& other) const {
    return bytes == other.bytes && kind == other.kind &&
           std::equal(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(word_count()), other.words.begin());
  }
};

struct Shape {
  ShapeId parent;
  ShapeName name;
};

// Most shapes of a region of `bytes` bytes.
constexpr Word ShapeLimitFor(std::size_t bytes) {
  const std::size_t shapes = std::bit_floor(bytes / kShapeRegionBytes);
  return static_cast<Word>(std::clamp<std::size_t>(shapes, kMinShapes, kMaxShapes));
}

// Most children of a shape in a table of `limit` shapes.
constexpr Word ShapeChildrenFor(Word limit) {
  return std::max(limit / kShapeChildrenPart, kMinShapeChildren);
}

constexpr Word ShapesIn(Word chunk) {
  return chunk == 0 ? kFirstChunkShapes : kFirstChunkShapes << (chunk - 1);
}

constexpr std::size_t ShapeChunkBytes(Word chunk) {
  return std::size_t{ShapesIn(chunk)} * kShapeBytes;
}

// The chunk in which a shape's record lies; kShapeChunks or more if there is no such shape.
constexpr Word ShapeChunkOf(ShapeId id) {
  const Word place = id - 1;
  return place < kFirstChunkShapes
             ? 0
             : static_cast<Word>(std::bit_width(place)) - static_cast<Word>(std::bit_width(kFirstChunkShapes)) + 1;
}

// The words that a chunk has for names.
constexpr Word NameWordsIn(Word chunk) {
  return ShapesIn(chunk) * (kShapeBytes / sizeof(Word) - kShapeWords);
}

class ShapeTable {
 public:
  explicit ShapeTable(Region region) : region_(region) {}

  // Acquire pairs with the release in Append: all of a shape is in place before its id is counted.
  Word Count() const { return region_.LoadAcquire(kHeaderShapeCount); }

  // Nothing if there is no such shape, or it is damaged.
  std::optional<Shape> Read(ShapeId id) const;

  enum class Search { kFound, kNone, kNoMore, kCorrupt };

  // Looks for the child of `parent` that has the name. kNoMore: there is none, and none may be added. O(children).
  Search Find(ShapeId parent, const ShapeName& name, ShapeId* found) const;

  enum class Appended { kDone, kFull, kNeedsChunk, kCorrupt };

  // Adds a shape that Find did not find. kNeedsChunk: nothing was done because `chunk` is missing.
  Appended Append(ShapeId parent, const ShapeName& name, ShapeId* added, Word* chunk);

  // Puts a block of ShapeChunkBytes into its place, if that is empty.
  bool Install(Word chunk, Block block);

  // The child of the same parent that was added before the shape, and the shape's newest child; 0 if there is none.
  ShapeId SiblingOf(ShapeId id) const;
  ShapeId NewestOf(ShapeId id) const;

  // Whether the shape's name lies where Append put it.
  bool IsInPlace(ShapeId id) const;

  // Completes the append in which the holder of the mutex died, if its shape was published already; else there is
  // nothing to undo.
  void FinishAppend();

 private:
  struct NamePlace {
    Word chunk;
    Word word;
  };

  // First word of a chunk; 0 if it is missing or damaged.
  WordIndex ChunkAt(Word chunk) const {
    const Block block = chunk < kShapeChunks ? region_.LoadAcquire(kHeaderShapeChunks + chunk) : 0;
    return region_.Contains(block, ShapeChunkBytes(chunk) / sizeof(Word)) ? WordOf(block) : 0;
  }

  // First word of a shape's record; 0 if there is none.
  WordIndex RecordAt(ShapeId id) const;
  // The word that names the newest child of `parent`; 0 if there is none.
  WordIndex NewestAt(ShapeId parent) const;
  bool ReadName(WordIndex record, ShapeName* name) const;
  bool HasName(WordIndex record, const ShapeName& name) const;
  // Where a name lies; nothing if that is no place.
  std::optional<NamePlace> PlaceOf(Word name) const;
  std::optional<NamePlace> NextPlace(Word shapes, std::size_t words) const;

  Region region_;
};

}  // namespace mapsafe

#endif  // MAPSAFE_CORE_SHAPE_TABLE_H_
