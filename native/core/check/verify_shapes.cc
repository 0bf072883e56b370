#include "check/verify_shapes.h"

#include <set>
#include <sstream>
#include <tuple>
#include <utility>
#include <vector>

#include "shapes/shape_table.h"

namespace mapsafe {

namespace {

template <typename... Numbers>
std::string ShapeProblem(const char* what, Numbers... numbers) {
  std::ostringstream text;
  text << "shapes: " << what;
  ((text << ' ' << numbers), ...);
  return text.str();
}

}  // namespace

ShapeAudit::ShapeAudit(Region region, UseBlock use, Tell problem)
    : region_(region), use_(std::move(use)), problem_(std::move(problem)) {}

void ShapeAudit::Run() {
  if (region_.Load(kHeaderShapeMutex) != 0) problem_(ShapeProblem("mutex held"));
  const Word limit = region_.Load(kHeaderShapeLimit);
  const Word count = region_.Load(kHeaderShapeCount);
  if (limit != ShapeLimitFor(region_.bytes()) || region_.Load(kHeaderShapeChildren) != ShapeChildrenFor(limit)) {
    problem_(ShapeProblem("bounds not those of the region's size: limit, children", limit,
                          region_.Load(kHeaderShapeChildren)));
  }
  if (count > limit || count > kMaxShapes)
    return problem_(ShapeProblem("more than the limit: count, limit", count, limit));
  if (CheckChunks(count)) CheckShapes(count);
}

// Returns whether every shape has a record.
bool ShapeAudit::CheckChunks(Word count) {
  const Word needed = count == 0 ? 0 : ShapeChunkOf(count) + 1;
  bool has_gap = false;
  bool is_whole = true;
  for (Word chunk = 0; chunk < kShapeChunks; ++chunk) {
    const Block block = region_.Load(kHeaderShapeChunks + chunk);
    if (block == 0) {
      has_gap = true;
      if (chunk < needed) problem_(ShapeProblem("no chunk for the shapes counted: chunk", chunk));
      is_whole = is_whole && chunk >= needed;
      continue;
    }
    if (has_gap) problem_(ShapeProblem("a chunk after one that is missing: chunk", chunk));
    if (!region_.Contains(block, ShapeChunkBytes(chunk) / sizeof(Word)) ||
        !use_(block, ShapeChunkBytes(chunk), "shape chunk")) {
      problem_(ShapeProblem("no chunk: chunk, block", chunk, block));
      is_whole = false;
    }
  }
  return is_whole;
}

void ShapeAudit::CheckShapes(Word count) {
  const ShapeTable table(region_);
  std::vector<ShapeId> newest(std::size_t{count} + 1);
  std::vector<Word> children(std::size_t{count} + 1);
  std::set<std::tuple<ShapeId, Word, std::vector<Word>>> names;
  for (ShapeId id = 1; id <= count; ++id) {
    const std::optional<Shape> shape = table.Read(id);
    if (!shape) {
      problem_(ShapeProblem("no name, or no parent added before: shape", id));
      return;
    }
    const ShapeId sibling = table.SiblingOf(id);
    if (sibling != newest[shape->parent]) {
      problem_(ShapeProblem("wrong sibling: shape, sibling, expected", id, sibling, newest[shape->parent]));
    }
    newest[shape->parent] = id;
    if (++children[shape->parent] == region_.Load(kHeaderShapeChildren) + 1) {
      problem_(ShapeProblem("more children than allowed: shape", shape->parent));
    }
    if (!table.IsInPlace(id)) problem_(ShapeProblem("name not behind the one before: shape", id));
    const auto words = shape->name.words.begin();
    std::vector<Word> text(words, words + static_cast<std::ptrdiff_t>(shape->name.word_count()));
    text.push_back(shape->name.bytes);
    if (!names.emplace(shape->parent, shape->name.kind, std::move(text)).second) {
      problem_(ShapeProblem("two children of one name: shape, parent", id, shape->parent));
    }
  }
  for (ShapeId id = 0; id <= count; ++id) {
    if (table.NewestOf(id) != newest[id]) {
      problem_(ShapeProblem("wrong newest child: shape, child, expected", id, table.NewestOf(id), newest[id]));
    }
  }
}

}  // namespace mapsafe
