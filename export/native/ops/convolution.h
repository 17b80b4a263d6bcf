#ifndef TFCOMPRESS_OPS_CONVOLUTION_H_
#define TFCOMPRESS_OPS_CONVOLUTION_H_

#include "kernels/scratch.h"
#include "ops/compute.h"

namespace tfcompress::ops {

// What is common to the operations that convolve in depth: the values of their config, in order.
struct ConvolutionConfig {
  int32_t heads;
  int32_t size;
  int32_t before;
  bool softmax;
  bool gated;

  kernels::Convolution Over(const Operands& operands, int32_t width) const;
  int64_t InputWidth(int64_t width) const { return gated ? 2 * width : width; }
  int64_t Taps() const { return static_cast<int64_t>(heads) * size; }
};

ConvolutionConfig ReadConvolution(const Operands& operands, const int32_t* config);
// That of an operation of one step, which sees nothing to come.
ConvolutionConfig ReadCausalConvolution(const Operands& operands, const int32_t* config);

// The rows to convolve: the input, or scratch memory with what its gate lets through.
const float* Gated(const kernels::Kernels& kernels, kernels::Scratch* scratch, bool gated,
                   const float* x, int32_t count, int32_t width);

// The taps for each of some rows, [count, heads, size].
const float* DynamicTaps(const kernels::Kernels& kernels, kernels::Scratch* scratch,
                         const ConvolutionConfig& config, const kernels::Weight& weight,
                         const float* u, int32_t count);
// The taps for all rows, [heads, size].
const float* FixedTaps(const kernels::Kernels& kernels, kernels::Scratch* scratch,
                       const ConvolutionConfig& config, const float* kernel);

// Convolves rows of sentences, [batch, length, width]. The taps of one row are `tap_stride` after
// those of the one before it.
void ConvolveSentences(const kernels::Kernels& kernels, const kernels::Convolution& convolution,
                       int32_t batch, int32_t length, const float* u, const float* taps,
                       ptrdiff_t tap_stride, float* y);

// The former rows of u, [batch, 1, length, width], and the position of the present ones.
struct History {
  float* values;
  int32_t batch;
  int32_t length;
  int32_t position;
};

// Writes rows of u into the history and convolves what ends with them.
void ConvolveStep(const kernels::Kernels& kernels, const kernels::Convolution& convolution,
                  const History& history, const float* u, const float* taps, ptrdiff_t tap_stride,
                  float* y);

}  // namespace tfcompress::ops

#endif  // TFCOMPRESS_OPS_CONVOLUTION_H_
