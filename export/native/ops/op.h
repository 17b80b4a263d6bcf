#ifndef TFCOMPRESS_OPS_OP_H_
#define TFCOMPRESS_OPS_OP_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

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

// A custom operation. Both functions throw Error (kBadBundle) for operands that it cannot have.
struct Op {
  const char* name;
  size_t num_inputs;
  size_t num_outputs;
  void (*infer)(const Shape* inputs, Shape* outputs);
  void (*run)(const kernels::Kernels& kernels, const Tensor* inputs, const Tensor* outputs);
};

// Null if there is none of that name.
const Op* Find(const std::string& name);
const std::vector<const Op*>& All();

}  // namespace tfcompress::ops

#endif  // TFCOMPRESS_OPS_OP_H_
