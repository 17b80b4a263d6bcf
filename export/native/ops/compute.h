#ifndef TFCOMPRESS_OPS_COMPUTE_H_
#define TFCOMPRESS_OPS_COMPUTE_H_

#include "kernels/scratch.h"
#include "ops/operands.h"

namespace tfcompress::ops {

// This thread's scratch memory, all of it free.
kernels::Scratch& FreshScratch();

// Rows of activations to multiply by weights. They are rounded once, when the first quantized
// weight needs it.
class ActivationValues {
 public:
  // The rows are `stride` floats apart, and stay as they are while this is used.
  ActivationValues(const kernels::Kernels& kernels, kernels::Scratch* scratch, const float* values,
                   int32_t count, int32_t cols, ptrdiff_t stride);
  ActivationValues(const kernels::Kernels& kernels, kernels::Scratch* scratch, const float* values,
                   int32_t count, int32_t cols)
      : ActivationValues(kernels, scratch, values, count, cols, cols) {}

  void Multiply(const kernels::Weight& weight, const float* bias,
                const kernels::Selection& selection, const kernels::Output& y);
  // All rows of the weights.
  void Multiply(const Dense& layer, float* y);

 private:
  const kernels::Kernels& kernels_;
  kernels::Scratch& scratch_;
  kernels::Input input_;
  void* quantized_ = nullptr;
  bool is_complete_ = false;
};

}  // namespace tfcompress::ops

#endif  // TFCOMPRESS_OPS_COMPUTE_H_
