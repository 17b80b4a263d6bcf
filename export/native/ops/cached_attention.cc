#include "ops/all.h"
#include "ops/caches.h"
#include "ops/compute.h"

namespace tfcompress::ops {
namespace {

void Infer(const Shape* inputs, int32_t, Shape* outputs) {
  outputs[cached_attention::kOutputContext] = inputs[cached_attention::kInputQuery];
  outputs[cached_attention::kOutputNewKeys] = inputs[cached_attention::kInputKeys];
  outputs[cached_attention::kOutputNewValues] = inputs[cached_attention::kInputValues];
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
  keys.values =
      Updated(inputs[cached_attention::kInputKeys], outputs[cached_attention::kOutputNewKeys]);
  values.values =
      Updated(inputs[cached_attention::kInputValues], outputs[cached_attention::kOutputNewValues]);
  AttendToCache(kernels, &FreshScratch(), batch, q, k, v, keys, values, {0, heads},
                Positions(position), context);
}

}  // namespace

const Op kCachedAttention = {cached_attention::kSchema, Infer, Run};

}  // namespace tfcompress::ops
