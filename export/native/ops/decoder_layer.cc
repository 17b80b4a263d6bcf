#include "ops/all.h"
#include "ops/caches.h"
#include "ops/layer.h"

namespace tfcompress::ops {
namespace {

enum Input : size_t { kX = 1, kKeys = 3, kValues = 4, kCount = 37 };

struct SelfAttention {
  Dense query, key, value, output;
};

struct CrossAttention {
  Dense query, output;
};

void Infer(const Shape* inputs, int32_t, Shape* outputs) {
  outputs[0] = inputs[kX];
  outputs[1] = inputs[kKeys];
  outputs[2] = inputs[kValues];
}

void Run(const kernels::Kernels& kernels, const Tensor* inputs, const Tensor* outputs) {
  Operands in(kDecoderLayer.name, "input", inputs);
  Operands out(kDecoderLayer.name, "output", outputs);
  const int32_t* const config = in.Ints({5});
  const int32_t heads = CountOf(in, config[0]), cross_heads = CountOf(in, config[1]);
  const kernels::Activation activation = ActivationOf(in, config[2]);
  const bool normalize_first = FlagOf(in, config[3]);
  const float epsilon = EpsilonOf(in, config[4]);
  const int32_t batch = in.Peek(2)[0], width = in.Peek(2)[1];
  const float* const x = in.Floats({batch, width});
  const int32_t* const place = in.Ints({1});
  const int32_t length = in.Peek(4)[2], head_width = in.Peek(4)[3];
  Cache keys = ReadCache(&in, batch, heads, length, head_width);
  Cache values = ReadCache(&in, batch, heads, length, head_width);
  const int32_t position = PositionOf(in, place, length);
  const int32_t memory_length = in.Peek(4)[2], memory_width = in.Peek(4)[3];
  const Cache memory_keys = ReadCache(&in, 1, cross_heads, memory_length, memory_width);
  const Cache memory_values = ReadCache(&in, 1, cross_heads, memory_length, memory_width);
  const int64_t all = int64_t{heads} * head_width, cross = int64_t{cross_heads} * memory_width;
  const Dense query = in.Layer(all, width), key = in.Layer(all, width);
  const Dense value = in.Layer(all, width), output = in.Layer(width, all);
  const Dense cross_query = in.Layer(cross, width), cross_output = in.Layer(width, cross);
  const FeedForward feed_forward = ReadFeedForward(&in, width, activation);
  const Norm norms[] = {ReadNorm(&in, width), ReadNorm(&in, width), ReadNorm(&in, width)};
  float* const y = out.Floats({batch, width});
  ReadCache(&out, batch, heads, length, head_width);
  ReadCache(&out, batch, heads, length, head_width);
  keys.values = Updated(inputs[kKeys], outputs[1]);
  values.values = Updated(inputs[kValues], outputs[2]);

  kernels::Scratch& scratch = FreshScratch();
  const auto rows = [&](int64_t cols) {
    return scratch.Take<float>(static_cast<size_t>(batch) * static_cast<size_t>(cols));
  };
  Residual state(kernels, &scratch, x, batch, width, normalize_first, epsilon, y);
  state.Apply(norms[0], [&](const float* input, float* change) {
    float *const q = rows(all), *const k = rows(all), *const v = rows(all);
    float* const context = rows(all);
    Activations activations(kernels, &scratch, input, batch, width);
    activations.Multiply(query, q);
    activations.Multiply(key, k);
    activations.Multiply(value, v);
    AttendToCache(kernels, &scratch, batch, q, k, v, keys, values, position, context);
    Activations(kernels, &scratch, context, batch, query.weight.rows).Multiply(output, change);
  });
  state.Apply(norms[1], [&](const float* input, float* change) {
    float *const q = rows(cross), *const context = rows(cross);
    Activations(kernels, &scratch, input, batch, width).Multiply(cross_query, q);
    AttendToMemory(kernels, &scratch, batch, q, memory_keys, memory_values, context);
    Activations(kernels, &scratch, context, batch, cross_query.weight.rows)
        .Multiply(cross_output, change);
  });
  state.ApplyFeedForward(norms[2], feed_forward);
}

}  // namespace

const Op kDecoderLayer = {"tfc.DecoderLayer", kCount, 3, Inputs({1, 2, 3, 4, 5, 6}), Infer, Run};

}  // namespace tfcompress::ops
