#include "ops/layer.h"

#include <algorithm>

namespace tfcompress::ops {

Norm ReadNorm(Operands* operands, int64_t width) {
  const float* const gamma = operands->Floats({width});
  return {gamma, operands->Floats({width})};
}

FeedForward ReadFeedForward(Operands* operands, int64_t width, kernels::Activation activation) {
  const Dense first = operands->Layer(operands->Peek(2)[0], width);
  return {first, operands->Layer(width, first.weight.rows), activation};
}

MemoryAttention ReadMemoryAttention(Operands* operands, int64_t width, int64_t inner) {
  const Dense query = operands->Layer(inner, width);
  return {query, operands->Layer(width, inner)};
}

Residual::Residual(const kernels::Kernels& kernels, kernels::Scratch* scratch, const float* x,
                   int32_t count, int32_t width, bool normalize_first, float epsilon, float* y)
    : kernels_(kernels),
      scratch_(scratch),
      count_(count),
      width_(width),
      normalize_first_(normalize_first),
      epsilon_(epsilon),
      state_(y) {
  const size_t size = static_cast<size_t>(count) * static_cast<size_t>(width);
  input_ = scratch->Take<float>(size);
  change_ = scratch->Take<float>(size);
  std::copy_n(x, size, state_);
}

const float* Residual::Normalize(const Norm& norm, float* to) {
  for (ptrdiff_t row = 0; row < count_; ++row) {
    kernels_.normalize(state_ + row * width_, width_, norm.gamma, norm.beta, epsilon_,
                       to + row * width_);
  }
  return to;
}

void Residual::ApplyMemoryAttention(const Norm& norm, const MemoryAttention& attention,
                                    const Memories& memories, const Heads& heads) {
  const int32_t inner = attention.query.weight.rows;
  const size_t size = static_cast<size_t>(count_) * static_cast<size_t>(inner);
  auto* const q = scratch_->Take<float>(size);
  auto* const context = scratch_->Take<float>(size);
  Apply(norm, [&](const float* input, float* change) {
    ActivationValues(kernels_, scratch_, input, count_, width_).Multiply(attention.query, q);
    AttendToMemory(kernels_, scratch_, q, memories, heads, context);
    ActivationValues(kernels_, scratch_, context, count_, inner).Multiply(attention.output, change);
  });
}

void Residual::ApplyFeedForward(const Norm& norm, const FeedForward& layers) {
  const int32_t inner = layers.first.weight.rows;
  const size_t size = static_cast<size_t>(count_) * static_cast<size_t>(inner);
  auto* const hidden = scratch_->Take<float>(size);
  Apply(norm, [&](const float* input, float* change) {
    ActivationValues(kernels_, scratch_, input, count_, width_).Multiply(layers.first, hidden);
    for (ptrdiff_t row = 0; row < count_; ++row) {
      kernels_.activate(layers.activation, inner, hidden + row * inner);
    }
    ActivationValues(kernels_, scratch_, hidden, count_, inner).Multiply(layers.second, change);
  });
}

}  // namespace tfcompress::ops
