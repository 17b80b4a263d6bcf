#include "ops/all.h"
#include "ops/caches.h"
#include "ops/compute.h"

namespace tfcompress::ops {
namespace {

void Infer(const Shape* inputs, int32_t, Shape* outputs) {
  outputs[0] = inputs[memory_attention::kInputQuery];
}

void Run(const kernels::Kernels& kernels, const Tensors& inputs, const Tensors& outputs) {
  Operands in(kMemoryAttention.name, "input", inputs);
  Operands out(kMemoryAttention.name, "output", outputs);
  const int32_t heads = CountOf(in, *in.Ints({1}));
  const int32_t batch = in.Peek(2)[0], all = in.Peek(2)[1];
  in.Require(all % heads == 0, "the heads do not divide the width");
  const float* const q = in.Floats({batch, all});
  const Memories memories = ReadMemories(&in, batch);
  const Cache& keys = memories.caches.keys;
  in.Require(keys.heads == heads && keys.width == all / heads, "the memories have other heads");
  float* const context = out.Floats({batch, all});
  AttendToMemory(kernels, &FreshScratch(), q, memories, {0, heads}, context);
}

}  // namespace

const Op kMemoryAttention = {memory_attention::kSchema, Infer, Run};

}  // namespace tfcompress::ops
