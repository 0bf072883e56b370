// Adding shapes to the region's table. See docs/internals/protocol.md, "Shapes".
//
// Thread safety: any thread, whatever it holds: the mutex of the table is taken last of all, and its holder takes no
// other lock.
#ifndef MAPSAFE_CORE_ADD_SHAPE_H_
#define MAPSAFE_CORE_ADD_SHAPE_H_

#include "core.h"
#include "shapes/shape_table.h"

namespace mapsafe {

// The id of the child of `parent` that has the name, added if there is none: status kDone. Else kNotDone (not now),
// kFull (never) or kCorrupt. Hardly waits. Leaves the outcome of the core as it is.
Status AddShape(Core& core, ShapeId parent, const ShapeName& name, ShapeId* id);

}  // namespace mapsafe

#endif  // MAPSAFE_CORE_ADD_SHAPE_H_
