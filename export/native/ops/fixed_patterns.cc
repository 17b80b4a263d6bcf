#include "ops/all.h"
#include "ops/operands.h"

namespace tfcompress::ops {
namespace {

void Infer(const Shape* inputs, int32_t, Shape* outputs) {
  outputs[0] = inputs[fixed_patterns::kInputValues];
}

void Run(const kernels::Kernels& kernels, const Tensors& inputs, const Tensors& outputs) {
  Operands in(kFixedPatterns.name, "input", inputs);
  Operands out(kFixedPatterns.name, "output", outputs);
  const Operands::Vector config = in.IntVector();
  const int32_t heads = config.size - 1;
  in.Require(heads > 0, "the config has no patterns");
  const bool to_self = FlagOf(in, config.values[0]);
  for (int32_t head = 1; head <= heads; ++head) {
    const int32_t pattern = config.values[head];
    in.Require(pattern >= 0 && pattern < kernels::kNumPatterns, "the config has unknown patterns");
  }
  const int32_t batch = in.Peek(3)[0], length = in.Peek(3)[1], width = in.Peek(3)[2];
  in.Require(width % heads == 0, "the heads do not divide the width");
  const float* values = in.Floats({batch, length, width});
  float* y = out.Floats({batch, length, width});
  const int32_t block = width / heads;
  for (int32_t sentence = 0; sentence < batch; ++sentence) {
    for (int32_t head = 0; head < heads; ++head) {
      const auto pattern = static_cast<kernels::Pattern>(config.values[1 + head]);
      kernels.average(pattern, to_self, values + head * block, length, block, width,
                      y + head * block);
    }
    values += static_cast<ptrdiff_t>(length) * width;
    y += static_cast<ptrdiff_t>(length) * width;
  }
}

}  // namespace

const Op kFixedPatterns = {fixed_patterns::kSchema, Infer, Run};

}  // namespace tfcompress::ops
