#include "ops/all.h"
#include "ops/layer.h"

namespace tfcompress::ops {
namespace {

void Infer(const Shape* inputs, int32_t, Shape* outputs) {
  outputs[0] = inputs[encoder_layer::kInputX];
}

void Run(const kernels::Kernels& kernels, const Tensors& inputs, const Tensors& outputs) {
  Operands in(kEncoderLayer.name, "input", inputs);
  Operands out(kEncoderLayer.name, "output", outputs);
  const int32_t* const config = in.Ints({4});
  const int32_t heads = CountOf(in, config[0]);
  const kernels::Activation activation = ActivationOf(in, config[1]);
  const bool normalize_first = FlagOf(in, config[2]);
  const float epsilon = EpsilonOf(in, config[3]);
  const int32_t length = in.Peek(3)[1], width = in.Peek(3)[2];
  const float* const x = in.Floats({1, length, width});
  const int32_t all = in.Peek(2)[0];
  in.Require(all % heads == 0, "the heads do not divide the width");
  const Dense query = in.Layer(all, width), key = in.Layer(all, width);
  const Dense value = in.Layer(all, width), output = in.Layer(width, all);
  const FeedForward feed_forward = ReadFeedForward(&in, width, activation);
  const Norm norms[] = {ReadNorm(&in, width), ReadNorm(&in, width)};
  float* const y = out.Floats({1, length, width});

  kernels::Scratch& scratch = FreshScratch();
  const auto count = static_cast<size_t>(length);
  Residual state(kernels, &scratch, x, length, width, normalize_first, epsilon, y);
  state.Apply(norms[0], [&](const float* input, float* change) {
    const size_t size = count * static_cast<size_t>(all);
    auto *const q = scratch.Take<float>(size), *const k = scratch.Take<float>(size);
    auto *const v = scratch.Take<float>(size), *const context = scratch.Take<float>(size);
    ActivationValues activations(kernels, &scratch, input, length, width);
    activations.Multiply(query, q);
    activations.Multiply(key, k);
    activations.Multiply(value, v);
    auto* const scores = scratch.Take<float>(count * count);
    const int32_t head_width = all / heads;
    for (ptrdiff_t own = 0; own < all; own += head_width) {
      kernels.attend({q + own, all, length, k + own, v + own, all, length, head_width}, scores,
                     {context + own, all});
    }
    ActivationValues(kernels, &scratch, context, length, all).Multiply(output, change);
  });
  state.ApplyFeedForward(norms[1], feed_forward);
}

}  // namespace

const Op kEncoderLayer = {encoder_layer::kSchema, Infer, Run};

}  // namespace tfcompress::ops
