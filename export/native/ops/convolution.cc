#include "ops/convolution.h"

#include <algorithm>

namespace tfcompress::ops {

ConvolutionConfig ReadConvolution(const Operands& operands, const int32_t* config) {
  const ConvolutionConfig read = {CountOf(operands, config[0]), CountOf(operands, config[1]),
                                  config[2], FlagOf(operands, config[3]),
                                  FlagOf(operands, config[4])};
  operands.Require(read.before >= 0 && read.before < read.size,
                   "the position among the taps is not one of them");
  return read;
}

ConvolutionConfig ReadCausalConvolution(const Operands& operands, const int32_t* config) {
  const ConvolutionConfig read = ReadConvolution(operands, config);
  operands.Require(read.before == read.size - 1, "a step cannot convolve what is to come");
  return read;
}

kernels::Convolution ConvolutionConfig::Over(const Operands& operands, int32_t width) const {
  operands.Require(width % heads == 0, "the heads do not divide the width");
  return {heads, size, before, width};
}

const float* Gated(const kernels::Kernels& kernels, kernels::Scratch* scratch, bool gated,
                   const float* x, int32_t count, int32_t width) {
  if (!gated) return x;
  auto* const u = scratch->Take<float>(static_cast<size_t>(count) * static_cast<size_t>(width));
  const ptrdiff_t stride = width;
  for (ptrdiff_t row = 0; row < count; ++row) {
    kernels.gate(x + 2 * row * stride, width, u + row * stride);
  }
  return u;
}

const float* DynamicTaps(const kernels::Kernels& kernels, kernels::Scratch* scratch,
                         const ConvolutionConfig& config, const kernels::Weight& weight,
                         const float* u, int32_t count) {
  const ptrdiff_t size = weight.rows;
  auto* const taps = scratch->Take<float>(static_cast<size_t>(count) * static_cast<size_t>(size));
  ActivationValues(kernels, scratch, u, count, weight.cols).Multiply({weight, nullptr}, taps);
  for (ptrdiff_t row = 0; config.softmax && row < count; ++row) {
    kernels.softmax(config.heads, config.size, taps + row * size);
  }
  return taps;
}

const float* FixedTaps(const kernels::Kernels& kernels, kernels::Scratch* scratch,
                       const ConvolutionConfig& config, const float* kernel) {
  if (!config.softmax) return kernel;
  const auto size = static_cast<size_t>(config.Taps());
  auto* const taps = scratch->Take<float>(size);
  std::copy_n(kernel, size, taps);
  kernels.softmax(config.heads, config.size, taps);
  return taps;
}

void ConvolveSentences(const kernels::Kernels& kernels, const kernels::Convolution& convolution,
                       int32_t batch, int32_t length, const float* u, const float* taps,
                       ptrdiff_t tap_stride, float* y) {
  const ptrdiff_t size = static_cast<ptrdiff_t>(length) * convolution.width;
  for (ptrdiff_t sentence = 0; sentence < batch; ++sentence) {
    for (int32_t position = 0; position < length; ++position) {
      kernels.convolve(convolution, taps, u + sentence * size, length, position, y);
      taps += tap_stride;
      y += convolution.width;
    }
  }
}

void ConvolveStep(const kernels::Kernels& kernels, const kernels::Convolution& convolution,
                  const History& history, const float* u, const float* taps, ptrdiff_t tap_stride,
                  float* y) {
  const ptrdiff_t width = convolution.width;
  for (ptrdiff_t row = 0; row < history.batch; ++row) {
    float* const own = history.values + row * history.length * width;
    std::copy_n(u + row * width, width, own + history.position * width);
    kernels.convolve(convolution, taps + row * tap_stride, own, history.position + 1,
                     history.position, y + row * width);
  }
}

}  // namespace tfcompress::ops
