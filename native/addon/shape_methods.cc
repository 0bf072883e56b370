#include <algorithm>

#include "call.h"
#include "methods.h"

namespace mapsafe {
namespace {

// An object with parent and name; undefined if there is no such shape.
napi_value ReadShape(napi_env env, napi_callback_info info) {
  const Call<1> call(env, info);
  std::uint32_t id;
  if (!call.open() || !call.Number(0, &id)) return nullptr;
  const std::optional<Shape> shape = call.handle().engine().ReadShape(id);
  if (!shape) return nullptr;
  napi_value object, name, parent;
  const void* text = shape->name.words.data();
  const napi_status made =
      shape->name.kind == kKeyLatin1
          ? napi_create_string_latin1(env, static_cast<const char*>(text), shape->name.bytes, &name)
          : napi_create_string_utf16(env, static_cast<const char16_t*>(text), shape->name.bytes / sizeof(char16_t),
                                     &name);
  if (!Check(env, made) || !Check(env, napi_create_uint32(env, shape->parent, &parent)) ||
      !Check(env, napi_create_object(env, &object)) ||
      !Check(env, napi_set_named_property(env, object, "parent", parent)) ||
      !Check(env, napi_set_named_property(env, object, "name", name))) {
    return nullptr;
  }
  return object;
}

// The shape's id; or 0 (kNotDone) or a negative status.
napi_value AddShape(napi_env env, napi_callback_info info) {
  const Call<2> call(env, info);
  std::uint32_t parent;
  Text text;
  if (!call.open() || !call.Number(0, &parent) || !call.handle().ReadText(env, call[1], &text)) return nullptr;
  Status status = Status::kEntryTooLarge;
  ShapeId id = 0;
  if (text.bytes <= kShapeNameBytes) {
    ShapeName name{};
    name.bytes = static_cast<Word>(text.bytes);
    name.kind = text.latin1 ? kKeyLatin1 : kKeyUtf16;
    std::copy_n(text.words, name.word_count(), name.words.begin());
    status = call.handle().engine().AddShape(parent, name, &id);
  }
  call.handle().ReleaseText();
  if (status == Status::kDone) return MakeNumber(env, id);
  return MakeNumber(env, status == Status::kNotDone ? 0 : static_cast<std::int32_t>(status));
}

constexpr Method kAllOfShapes[] = {
    {"readShape", ReadShape},
    {"addShape", AddShape},
};

}  // namespace

const std::span<const Method> kShapeMethods = kAllOfShapes;

}  // namespace mapsafe
