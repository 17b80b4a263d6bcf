#include "ops/all.h"
#include "ops/caches.h"
#include "ops/compute.h"

namespace tfcompress::ops {
namespace {

void Infer(const Shape* inputs, int32_t, Shape* outputs) {
  outputs[0] = inputs[1];
  outputs[1] = inputs[4];
  outputs[2] = inputs[5];
}

void Run(const kernels::Kernels& kernels, const Tensors& inputs, const Tensors& outputs) {
  Operands in(kCachedAttention.name, "input", inputs);
  Operands out(kCachedAttention.name, "output", outputs);
  const int32_t heads = CountOf(in, *in.Ints({1}));
  const int32_t batch = in.Peek(2)[0], all = in.Peek(2)[1];
  in.Require(all % heads == 0, "the heads do not divide the width");
  const int32_t width = all / heads;
  const float* const q = in.Floats({batch, all});
  const float* const k = in.Floats({batch, all});
  const float* const v = in.Floats({batch, all});
  const int32_t length = in.Peek(4)[2];
  Cache keys = ReadCache(&in, batch, heads, length, width);
  Cache values = ReadCache(&in, batch, heads, length, width);
  const int32_t position = PositionOf(in, in.Ints({1}), length);
  float* const context = out.Floats({batch, all});
  out.Floats({batch, heads, length, width});
  out.Floats({batch, heads, length, width});
  keys.values = Updated(inputs[4], outputs[1]);
  values.values = Updated(inputs[5], outputs[2]);
  AttendToCache(kernels, &FreshScratch(), batch, q, k, v, keys, values, {0, heads}, position,
                context);
}

}  // namespace

const Op kCachedAttention = {"tfc.CachedAttention",      7,     3,  0,
                             Inputs({1, 2, 3, 4, 5, 6}), Infer, Run};

}  // namespace tfcompress::ops
