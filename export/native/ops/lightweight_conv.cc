#include "ops/all.h"
#include "ops/convolution.h"

namespace tfcompress::ops {
namespace {

// Shapes are inferred without values: a gated one has one more in its config, the width.
constexpr int32_t kGatedConfig = 6;

void Infer(const Shape* inputs, Shape* outputs) {
  outputs[0] = Ranked(inputs[1], 3);
  if (Ranked(inputs[0], 1).dims[0] == kGatedConfig) outputs[0].dims[2] /= 2;
}

void Run(const kernels::Kernels& kernels, const Tensor* inputs, const Tensor* outputs) {
  Operands in(kLightweightConv.name, "input", inputs);
  Operands out(kLightweightConv.name, "output", outputs);
  const Operands::Vector values = in.IntVector();
  in.Require(values.size == kGatedConfig - 1 || values.size == kGatedConfig,
             "the config must have 5 values, or 6 with a gate");
  const ConvolutionConfig config = ReadConvolution(in, values.values);
  in.Require(config.gated == (values.size == kGatedConfig),
             "the config must have a sixth value if and only if there is a gate");
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

const Op kLightweightConv = {"tfc.LightweightConv", 3, 1, Infer, Run};

}  // namespace tfcompress::ops
