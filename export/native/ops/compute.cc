#include "ops/compute.h"

namespace tfcompress::ops {

kernels::Scratch& FreshScratch() {
  thread_local kernels::Scratch scratch;
  scratch.Reset();
  return scratch;
}

ActivationValues::ActivationValues(const kernels::Kernels& kernels, kernels::Scratch* scratch,
                                   const float* values, int32_t count, int32_t cols,
                                   ptrdiff_t stride)
    : kernels_(kernels),
      scratch_(*scratch),
      input_{values, stride, count, cols, nullptr, nullptr} {}

void ActivationValues::Multiply(const kernels::Weight& weight, const float* bias,
                                const kernels::Selection& selection, const kernels::Output& y) {
  if (weight.type != Type::kFloat32 && input_.quantized == nullptr) {
    const auto count = static_cast<size_t>(input_.count);
    const auto width = static_cast<size_t>(kernels::Padded(input_.cols));
    int16_t* const quantized = scratch_.Take<int16_t>(count * width);
    auto* const scales = scratch_.Take<kernels::RowScale>(count);
    kernels_.quantize(input_, quantized, scales);
    input_.quantized = quantized;
    input_.scales = scales;
  }
  kernels_.multiply(input_, weight, selection, bias, y);
}

void ActivationValues::Multiply(const Dense& layer, float* y) {
  const int32_t rows = layer.weight.rows;
  Multiply(layer.weight, layer.bias, {0, rows, nullptr}, {y, rows});
}

}  // namespace tfcompress::ops
