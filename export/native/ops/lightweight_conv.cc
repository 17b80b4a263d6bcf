#include "ops/all.h"
#include "ops/convolution.h"

namespace tfcompress::ops {
namespace {

void Infer(const Shape* inputs, int32_t width, Shape* outputs) {
  outputs[0] = Ranked(inputs[lightweight_conv::kInputX], 3);
  outputs[0].dims[2] = width;
}

void Run(const kernels::Kernels& kernels, const Tensors& inputs, const Tensors& outputs) {
  Operands in(kLightweightConv.name, "input", inputs);
  Operands out(kLightweightConv.name, "output", outputs);
  const ConvolutionConfig config = ReadConvolution(in, in.Ints({5}));
  const int32_t batch = in.Peek(3)[0], length = in.Peek(3)[1], width = out.Peek(3)[2];
  const kernels::Convolution convolution = config.Over(in, width);
  const float* const x = in.Floats({batch, length, config.InputWidth(width)});
  const float* const kernel = in.Floats({config.heads, config.size});
  float* const y = out.Floats({batch, length, width});

  kernels::Scratch& scratch = FreshScratch();
  const float* const u = Gated(kernels, &scratch, config.gated, x, batch * length, width);
  const float* const taps = FixedTaps(kernels, &scratch, config, kernel);
  ConvolveSentences(kernels, convolution, batch, length, u, taps, 0, y);
}

}  // namespace

const Op kLightweightConv = {lightweight_conv::kSchema, Infer, Run};

}  // namespace tfcompress::ops
