#ifndef TFCOMPRESS_OPS_OP_H_
#define TFCOMPRESS_OPS_OP_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "common/schema.h"
#include "kernels/levels.h"

namespace tfcompress::ops {

using kernels::Type;

constexpr int32_t kMaxRank = 8;

struct Shape {
  int32_t rank;
  int32_t dims[kMaxRank];
};

// int4 values stand two to a byte; the extents count values.
struct Tensor {
  Type type;
  Shape shape;
  void* data;
};

using Tensors = std::vector<Tensor>;

// A custom operation. Both functions throw Error (kBadBundle) for operands that it cannot have.
struct Op : Schema {
  // Shapes of the outputs, of which the first has this width. Reads shapes of computed inputs only.
  void (*infer)(const Shape* inputs, int32_t width, Shape* outputs);
  void (*run)(const kernels::Kernels& kernels, const Tensors& inputs, const Tensors& outputs);
};

// Whether it can have so many inputs.
inline bool IsCount(const Op& op, size_t count) {
  if (op.layer_inputs == 0) return count == op.num_inputs;
  return count > op.num_inputs && (count - op.num_inputs) % op.layer_inputs == 0;
}

// Null if there is none of that name.
const Op* Find(const std::string& name);
const std::vector<const Op*>& All();

}  // namespace tfcompress::ops

#endif  // TFCOMPRESS_OPS_OP_H_
