#ifndef TFCOMPRESS_RUNTIME_C_STRUCTS_H_
#define TFCOMPRESS_RUNTIME_C_STRUCTS_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>
#include <vector>

#include "common/error.h"
#include "common/last_error.h"

namespace tfcompress {

// Far more than any structure will have, so that a size that was never set is not read.
constexpr size_t kMostStructBytes = 1024;

// Throws Error (kInvalidArgument) unless it can be the size that some version's structure has.
template <typename Struct>
void CheckStructSize(size_t size, const char* name) {
  static_assert(std::is_standard_layout_v<Struct> && std::is_trivially_copyable_v<Struct>);
  Require(size >= sizeof(size_t) && size <= kMostStructBytes && size % alignof(Struct) == 0,
          "`struct_size` must be the structure's size", std::to_string(size) + " for " + name,
          "Begin with its TFC_DEFAULT macro, or sizeof");
}

// A structure of whatever version, as this version's. Throws Error (kInvalidArgument,
// kUnsupported).
template <typename Struct>
Struct TakenStruct(const void* given, size_t size, const Struct& defaults, const char* name) {
  CheckStructSize<Struct>(size, name);
  const auto* const bytes = static_cast<const unsigned char*>(given);
  if (size > sizeof(Struct) && std::any_of(bytes + sizeof(Struct), bytes + size,
                                           [](unsigned char byte) { return byte != 0; })) {
    throw Error(Error::Code::kUnsupported, "A structure has fields that this version does not know",
                std::string(name) + " of a later version than " + TFC_VERSION,
                "Leave them zero, or use a later library");
  }
  Struct taken = defaults;
  std::memcpy(&taken, given, std::min(size, sizeof(Struct)));
  taken.struct_size = sizeof(Struct);
  return taken;
}

// The same of what may be null, which is the defaults.
template <typename Struct>
Struct TakenStruct(const Struct* given, const Struct& defaults, const char* name) {
  return given == nullptr ? defaults : TakenStruct(given, given->struct_size, defaults, name);
}

// The elements of an array of structures, all of whose sizes must be the first one's.
template <typename Struct>
std::vector<Struct> TakenStructs(const Struct* array, size_t count, const Struct& defaults,
                                 const char* name) {
  std::vector<Struct> taken;
  if (count == 0) return taken;
  const size_t size = array->struct_size;
  CheckStructSize<Struct>(size, name);
  const auto* bytes = reinterpret_cast<const unsigned char*>(array);
  for (size_t i = 0; i < count; ++i, bytes += size) {
    size_t own = 0;
    std::memcpy(&own, bytes, sizeof(own));
    Require(own == size, "`struct_size` must be one for all elements of an array",
            std::to_string(own) + " after " + std::to_string(size) + " for " + name,
            "Begin each with the same");
    taken.push_back(TakenStruct(bytes, size, defaults, name));
  }
  return taken;
}

// Fills the caller's structure of whatever version with what is known; zeros stand for the rest.
template <typename Struct>
void FillStruct(const Struct& known, Struct* target, const char* name) {
  const size_t size = target->struct_size;
  CheckStructSize<Struct>(size, name);
  auto* const bytes = reinterpret_cast<unsigned char*>(target);
  std::memcpy(bytes, &known, std::min(size, sizeof(Struct)));
  if (size > sizeof(Struct)) std::memset(bytes + sizeof(Struct), 0, size - sizeof(Struct));
  std::memcpy(bytes, &size, sizeof(size));
}

// Pointers to structures that stay where they are.
template <typename Struct>
std::vector<const Struct*> PointersTo(const std::vector<Struct>& structs) {
  std::vector<const Struct*> pointers;
  for (const Struct& one : structs) pointers.push_back(&one);
  return pointers;
}

}  // namespace tfcompress

#endif  // TFCOMPRESS_RUNTIME_C_STRUCTS_H_
