#include "ops/all.h"
#include "ops/convolution.h"

namespace tfcompress::ops {
namespace {

void Infer(const Shape* inputs, int32_t width, Shape* outputs) {
  outputs[0] = Ranked(inputs[dynamic_conv::kInputX], 3);
  outputs[0].dims[2] = width;
}

void Run(const kernels::Kernels& kernels, const Tensors& inputs, const Tensors& outputs) {
  Operands in(kDynamicConv.name, "input", inputs);
  Operands out(kDynamicConv.name, "output", outputs);
  const ConvolutionConfig config = ReadConvolution(in, in.Ints({5}));
  const int32_t batch = in.Peek(3)[0], length = in.Peek(3)[1], width = out.Peek(3)[2];
  const kernels::Convolution convolution = config.Over(in, width);
  const float* const x = in.Floats({batch, length, config.InputWidth(width)});
  const kernels::Weight weight = in.Weight({config.Taps(), width});
  float* const y = out.Floats({batch, length, width});

  kernels::Scratch& scratch = FreshScratch();
  const int32_t count = batch * length;
  const float* const u = Gated(kernels, &scratch, config.gated, x, count, width);
  const float* const taps = DynamicTaps(kernels, &scratch, config, weight, u, count);
  ConvolveSentences(kernels, convolution, batch, length, u, taps, weight.rows, y);
}

}  // namespace

const Op kDynamicConv = {dynamic_conv::kSchema, Infer, Run};

}  // namespace tfcompress::ops
