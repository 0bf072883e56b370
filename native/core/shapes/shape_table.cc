#include "shapes/shape_table.h"

namespace mapsafe {

namespace {

constexpr Word NameBytesOf(Word name) {
  return name >> kNameLengthShift & kNameLengthMask;
}

constexpr Word NameKindOf(Word name) {
  return name >> kNameKindShift;
}

constexpr Word NameWordsOf(Word name) {
  return (NameBytesOf(name) + 3) / 4;
}

}  // namespace

WordIndex ShapeTable::RecordAt(ShapeId id) const {
  if (id == 0 || id > kMaxShapes) return 0;
  const Word chunk = ShapeChunkOf(id);
  const WordIndex at = ChunkAt(chunk);
  const Word before = chunk == 0 ? 0 : ShapesIn(chunk);  // as many as the chunk has itself
  return at == 0 ? 0 : at + std::size_t{id - 1 - before} * kShapeWords;
}

WordIndex ShapeTable::NewestAt(ShapeId parent) const {
  if (parent == 0) return kHeaderShapeNewest;
  const WordIndex record = RecordAt(parent);
  return record == 0 ? 0 : record + kShapeNewest;
}

std::optional<ShapeTable::NamePlace> ShapeTable::PlaceOf(Word name) const {
  const Word chunk = name >> kNameChunkShift & kNameChunkMask;
  const Word word = name & kNamePlaceMask;
  if (NameBytesOf(name) > kShapeNameBytes || chunk >= kShapeChunks) return std::nullopt;
  if (word + NameWordsOf(name) > NameWordsIn(chunk)) return std::nullopt;
  return NamePlace{chunk, word};
}

bool ShapeTable::ReadName(WordIndex record, ShapeName* name) const {
  const Word text = region_.Load(record + kShapeName);
  const std::optional<NamePlace> place = PlaceOf(text);
  const WordIndex chunk = place ? ChunkAt(place->chunk) : 0;
  if (chunk == 0) return false;
  name->bytes = NameBytesOf(text);
  name->kind = NameKindOf(text);
  if (name->kind != kKeyLatin1 && (name->kind != kKeyUtf16 || name->bytes % 2 != 0)) return false;
  const WordIndex from = chunk + std::size_t{ShapesIn(place->chunk)} * kShapeWords + place->word;
  for (std::size_t i = 0; i < name->word_count(); ++i) name->words[i] = region_.Load(from + i);
  return true;
}

std::optional<Shape> ShapeTable::Read(ShapeId id) const {
  if (id > Count()) return std::nullopt;
  const WordIndex record = RecordAt(id);
  Shape shape{};
  if (record == 0 || !ReadName(record, &shape.name)) return std::nullopt;
  shape.parent = region_.Load(record + kShapeParent);
  return shape.parent < id ? std::optional(shape) : std::nullopt;
}

bool ShapeTable::HasName(WordIndex record, const ShapeName& name) const {
  const Word text = region_.Load(record + kShapeName);
  if (NameBytesOf(text) != name.bytes || NameKindOf(text) != name.kind) return false;
  ShapeName other{};
  return ReadName(record, &other) && other == name;
}

ShapeTable::Search ShapeTable::Find(ShapeId parent, const ShapeName& name, ShapeId* found) const {
  const WordIndex newest = NewestAt(parent);
  if (newest == 0) return Search::kCorrupt;
  // Acquire pairs with the release in Append, so that what is named here is counted there.
  ShapeId id = region_.LoadAcquire(newest);
  const Word count = Count();
  if (parent > count) return Search::kCorrupt;
  Word children = 0;
  for (ShapeId before = count + 1; id != 0; ++children) {
    const WordIndex record = id < before && id > parent ? RecordAt(id) : 0;
    if (record == 0 || region_.Load(record + kShapeParent) != parent) return Search::kCorrupt;
    if (HasName(record, name)) {
      *found = id;
      return Search::kFound;
    }
    before = id;
    id = region_.Load(record + kShapeSibling);
  }
  const bool has_room = children < region_.Load(kHeaderShapeChildren) && count < region_.Load(kHeaderShapeLimit);
  return has_room ? Search::kNone : Search::kNoMore;
}

// Where the next name of a table with `shapes` shapes goes.
std::optional<ShapeTable::NamePlace> ShapeTable::NextPlace(Word shapes, std::size_t words) const {
  NamePlace next{0, 0};
  if (shapes > 0) {
    const WordIndex last = RecordAt(shapes);
    if (last == 0) return std::nullopt;
    const Word text = region_.Load(last + kShapeName);
    const std::optional<NamePlace> place = PlaceOf(text);
    if (!place) return std::nullopt;
    next = {place->chunk, place->word + NameWordsOf(text)};
  }
  if (next.word + words > NameWordsIn(next.chunk)) next = {next.chunk + 1, 0};
  return next;
}

ShapeTable::Appended ShapeTable::Append(ShapeId parent, const ShapeName& name, ShapeId* added, Word* chunk) {
  const Word count = region_.Load(kHeaderShapeCount);
  const Word limit = std::min(region_.Load(kHeaderShapeLimit), kMaxShapes);
  if (count >= limit) return Appended::kFull;
  const std::optional<NamePlace> place = NextPlace(count, name.word_count());
  const WordIndex newest = NewestAt(parent);
  if (!place || newest == 0 || parent > count) return Appended::kCorrupt;
  if (place->chunk > ShapeChunkOf(limit)) return Appended::kFull;
  const ShapeId id = count + 1;
  // Chunks come in order, so that a table with a missing one is damaged, and so that a name's chunk is there, too.
  for (*chunk = 0; *chunk <= std::max(ShapeChunkOf(id), place->chunk); ++*chunk) {
    if (region_.Load(kHeaderShapeChunks + *chunk) == 0) return Appended::kNeedsChunk;
    if (ChunkAt(*chunk) == 0) return Appended::kCorrupt;
  }
  const WordIndex text = ChunkAt(place->chunk) + std::size_t{ShapesIn(place->chunk)} * kShapeWords + place->word;
  for (std::size_t i = 0; i < name.word_count(); ++i) region_.Store(text + i, name.words[i]);
  const WordIndex record = RecordAt(id);
  region_.Store(record + kShapeParent, parent);
  region_.Store(record + kShapeSibling, region_.Load(newest));
  region_.Store(record + kShapeNewest, 0);
  region_.Store(record + kShapeName, place->word | place->chunk << kNameChunkShift | name.bytes << kNameLengthShift |
                                         name.kind << kNameKindShift);
  // Release: who sees the id, here or in a value, sees its name and parent.
  region_.StoreRelease(kHeaderShapeCount, id);
  region_.StoreRelease(newest, id);
  *added = id;
  return Appended::kDone;
}

bool ShapeTable::Install(Word chunk, Block block) {
  if (region_.Load(kHeaderShapeChunks + chunk) != 0) return false;
  region_.StoreRelease(kHeaderShapeChunks + chunk, block);
  return true;
}

ShapeId ShapeTable::SiblingOf(ShapeId id) const {
  const WordIndex record = RecordAt(id);
  return record == 0 ? 0 : region_.Load(record + kShapeSibling);
}

ShapeId ShapeTable::NewestOf(ShapeId id) const {
  const WordIndex newest = NewestAt(id);
  return newest == 0 ? 0 : region_.Load(newest);
}

bool ShapeTable::IsInPlace(ShapeId id) const {
  const WordIndex record = RecordAt(id);
  if (record == 0) return false;
  const Word text = region_.Load(record + kShapeName);
  const std::optional<NamePlace> place = PlaceOf(text);
  const std::optional<NamePlace> expected = NextPlace(id - 1, NameWordsOf(text));
  return place && expected && place->chunk == expected->chunk && place->word == expected->word;
}

void ShapeTable::FinishAppend() {
  const ShapeId last = Count();
  const WordIndex record = RecordAt(last);
  if (record == 0) return;
  const ShapeId parent = region_.Load(record + kShapeParent);
  const WordIndex newest = parent < last ? NewestAt(parent) : 0;
  // The last shape is the newest child of its parent, whether or not the dead thread came to say so.
  if (newest != 0) region_.StoreRelease(newest, last);
}

}  // namespace mapsafe
