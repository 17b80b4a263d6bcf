#include "ops/all.h"
#include "ops/caches.h"
#include "ops/convolution.h"

namespace tfcompress::ops {
namespace {

void Infer(const Shape* inputs, int32_t width, Shape* outputs) {
  outputs[lightweight_conv_step::kOutputY] = Ranked(inputs[lightweight_conv_step::kInputX], 2);
  outputs[lightweight_conv_step::kOutputY].dims[1] = width;
  outputs[lightweight_conv_step::kOutputNewInputs] = inputs[lightweight_conv_step::kInputInputs];
}

void Run(const kernels::Kernels& kernels, const Tensors& inputs, const Tensors& outputs) {
  Operands in(kLightweightConvStep.name, "input", inputs);
  Operands out(kLightweightConvStep.name, "output", outputs);
  const ConvolutionConfig config = ReadCausalConvolution(in, in.Ints({5}));
  const int32_t batch = in.Peek(2)[0], width = out.Peek(2)[1];
  const kernels::Convolution convolution = config.Over(in, width);
  const float* const x = in.Floats({batch, config.InputWidth(width)});
  const float* const kernel = in.Floats({config.heads, config.size});
  const int32_t length = in.Peek(4)[2];
  in.Floats({batch, 1, length, width});
  const int32_t position = PositionOf(in, in.Ints({1}), length);
  float* const y = out.Floats({batch, width});
  out.Floats({batch, 1, length, width});

  kernels::Scratch& scratch = FreshScratch();
  const History history = {Updated(inputs[lightweight_conv_step::kInputInputs],
                                   outputs[lightweight_conv_step::kOutputNewInputs]),
                           batch, length, position};
  const float* const u = Gated(kernels, &scratch, config.gated, x, batch, width);
  const float* const taps = FixedTaps(kernels, &scratch, config, kernel);
  ConvolveStep(kernels, convolution, history, u, taps, 0, y);
}

}  // namespace

const Op kLightweightConvStep = {lightweight_conv_step::kSchema, Infer, Run};

}  // namespace tfcompress::ops
