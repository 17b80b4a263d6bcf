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

namespace {

bool NeedsComplete(const kernels::Weight& weight) {
  return weight.type == Type::kInt4 || (weight.type == Type::kInt4Panels && weight.block != 0);
}

}  // namespace

void ActivationValues::Multiply(const kernels::Weight& weight, const float* bias,
                                const kernels::Selection& selection, const kernels::Output& y) {
  if (weight.type != Type::kFloat32 && input_.quantized == nullptr) {
    const auto count = static_cast<size_t>(input_.count);
    const auto bytes = static_cast<size_t>(kernels::QuantizedBytes(input_.cols));
    auto* const quantized = scratch_.Take<char>(count * bytes);
    auto* const scales = scratch_.Take<kernels::RowScale>(count);
    kernels_.quantize(input_, quantized, scales);
    input_.quantized = quantized_ = quantized;
    input_.scales = scales;
  }
  if (NeedsComplete(weight) && !is_complete_) {
    kernels_.complete(input_, quantized_);
    is_complete_ = true;
  }
  kernels_.multiply(input_, weight, selection, bias, y);
}

void ActivationValues::Multiply(const Dense& layer, float* y) {
  const int32_t rows = layer.weight.rows;
  Multiply(layer.weight, layer.bias, {0, rows, nullptr}, {y, rows});
}

}  // namespace tfcompress::ops
