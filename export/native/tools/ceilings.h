#ifndef TFCOMPRESS_TOOLS_CEILINGS_H_
#define TFCOMPRESS_TOOLS_CEILINGS_H_

#include <cstddef>
#include <cstdint>

#include "kernels/levels.h"

namespace tfcompress {

// What a processor can do at most with the instructions of a level. Each function works in
// registers and gives a number that depends on its work.
struct Ceilings {
  // Each round makes `integer_products` products of int8.
  int32_t (*multiply_integers)(int64_t rounds);
  int64_t integer_products;
  // Each round makes `float_products` products of float32.
  float (*multiply_floats)(int64_t rounds);
  int64_t float_products;
  // Reads memory, a multiple of kReadBytes.
  int32_t (*read)(const void* from, size_t size);
};

constexpr size_t kReadBytes = 512;

// Null for a level without instructions of its own.
const Ceilings* CeilingsOf(kernels::Level level);

}  // namespace tfcompress

#endif  // TFCOMPRESS_TOOLS_CEILINGS_H_
