/** Sabotages of the C++ engine's table of shapes. native/test/shapes_test.cc must go red for each. */
export const mutants = [
  {
    name: 'shape-of-the-wrong-parent',
    why: 'a value gets the names of another one',
    file: 'core/shapes/shape_table.cc',
    find: '  if (parent == 0) return kHeaderShapeNewest;',
    replace: '  if (parent <= 1) return kHeaderShapeNewest;',
  },
  {
    name: 'shape-not-sought-again',
    why: 'two threads that add the same shape at once add it twice',
    file: 'core/shapes/add_shape.cc',
    find: '  const ShapeTable::Search search = table.Find(parent, name, id);\n  Status status = StatusOf(search);\n  if (search == ShapeTable::Search::kNone) {\n    switch',
    replace:
      '  const ShapeTable::Search search = ShapeTable::Search::kNone;\n  Status status = StatusOf(search);\n  if (search == ShapeTable::Search::kNone) {\n    switch',
  },
  {
    name: 'shapes-added-without-mutex',
    why: 'two threads that add at once write over each other',
    file: 'core/shapes/add_shape.cc',
    find: '  if (!LockMutex(*core.budget, kHeaderShapeMutex)) return Status::kNotDone;',
    replace: '',
  },
  {
    name: 'shape-names-compared-by-length',
    why: 'a shape is found by a name that it does not have',
    file: 'core/shapes/shape_table.cc',
    find: '  return ReadName(record, &other) && other == name;',
    replace: '  return ReadName(record, &other);',
  },
  {
    name: 'dictionary-fills-the-table',
    why: 'an object with ids for names takes the whole table at its first name',
    file: 'core/shapes/shape_table.cc',
    find: 'children < region_.Load(kHeaderShapeChildren) && ',
    replace: '',
  },
  {
    name: 'shape-parent-believed',
    why: 'a damaged parent leads a thread that follows it round in a circle',
    file: 'core/shapes/shape_table.cc',
    find: '  return shape.parent < id ? std::optional(shape) : std::nullopt;',
    replace: '  return shape;',
  },
  {
    name: 'shape-without-its-siblings',
    why: 'a shape that is there is not found, and added again',
    file: 'core/shapes/shape_table.cc',
    find: '  region_.Store(record + kShapeSibling, region_.Load(newest));',
    replace: '  region_.Store(record + kShapeSibling, 0);',
  },
  {
    name: 'shapes-freed-by-repair',
    why: 'a repair takes the table for lost memory, and entries overwrite it',
    file: 'core/check/repair.cc',
    find: '!MarkShapes() || ',
    replace: '',
  },
]
