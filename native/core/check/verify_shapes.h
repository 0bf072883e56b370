// Checks the table of shapes: every id leads to a name and to a parent that leads back to it.
#ifndef MAPSAFE_CORE_VERIFY_SHAPES_H_
#define MAPSAFE_CORE_VERIFY_SHAPES_H_

#include <functional>
#include <string>

#include "base/region.h"

namespace mapsafe {

class ShapeAudit {
 public:
  // Notes that a structure of so many bytes begins at a block; false if it should not be examined.
  using UseBlock = std::function<bool(Block, std::size_t, const char*)>;
  using Tell = std::function<void(const std::string&)>;

  ShapeAudit(Region region, UseBlock use, Tell problem);

  void Run();

 private:
  bool CheckChunks(Word count);
  void CheckShapes(Word count);

  Region region_;
  UseBlock use_;
  Tell problem_;
};

}  // namespace mapsafe

#endif  // MAPSAFE_CORE_VERIFY_SHAPES_H_
