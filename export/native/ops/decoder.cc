#include "ops/all.h"
#include "ops/caches.h"
#include "ops/layer.h"

namespace tfcompress::ops {
namespace {

constexpr size_t kLayers = decoder::kSchema.num_inputs;
constexpr size_t kLayerInputs = decoder::kSchema.layer_inputs;

// What follows the config's first values, for each layer as it is applied.
struct AppliedLayer {
  int32_t layer;  // Whose weights it takes.
  int32_t heads;
  int32_t first_memory_head;
  int32_t memory_heads;
};
constexpr int32_t kCommon = 3, kOfApplied = 4;
constexpr int32_t kMostApplied = 256;

struct Layer {
  Dense query, key, value, output;
  MemoryAttention memory;
  FeedForward feed_forward;
  Norm norms[3];
};

void Infer(const Shape* inputs, int32_t, Shape* outputs) {
  outputs[decoder::kOutputY] = inputs[decoder::kInputX];
  outputs[decoder::kOutputNewKeys] = inputs[decoder::kInputKeys];
  outputs[decoder::kOutputNewValues] = inputs[decoder::kInputValues];
}

Layer ReadLayer(Operands* in, int64_t width, int64_t own, int64_t memory,
                kernels::Activation activation) {
  Layer layer = {};
  layer.query = in->Layer(own, width);
  layer.key = in->Layer(own, width);
  layer.value = in->Layer(own, width);
  layer.output = in->Layer(width, own);
  layer.memory = ReadMemoryAttention(in, width, memory);
  layer.feed_forward = ReadFeedForward(in, width, activation);
  for (Norm& norm : layer.norms) norm = ReadNorm(in, width);
  return layer;
}

AppliedLayer ReadApplied(const Operands& in, const int32_t* config, size_t num_layers) {
  const AppliedLayer applied = {config[0], CountOf(in, config[1]), config[2],
                                CountOf(in, config[3])};
  in.Require(applied.layer >= 0 && static_cast<size_t>(applied.layer) < num_layers,
             "the config names an unknown layer");
  return applied;
}

void Run(const kernels::Kernels& kernels, const Tensors& inputs, const Tensors& outputs) {
  Operands in(kDecoder.name, "input", inputs);
  Operands out(kDecoder.name, "output", outputs);
  const Operands::Vector config = in.IntVector();
  const int32_t num_applied = (config.size - kCommon) / kOfApplied;
  in.Require(num_applied >= 1 && num_applied <= kMostApplied &&
                 config.size == kCommon + kOfApplied * num_applied,
             "the config has an impossible number of values");
  const kernels::Activation activation = ActivationOf(in, config.values[0]);
  const bool normalize_first = FlagOf(in, config.values[1]);
  const float epsilon = EpsilonOf(in, config.values[2]);
  const int32_t batch = in.Peek(2)[0], width = in.Peek(2)[1];
  const float* const x = in.Floats({batch, width});
  const Positions positions(&in, batch);
  Caches caches = ReadCaches(&in, batch);
  const Memories memories = ReadPaddedMemories(&in, batch);
  const Cache& memory_keys = memories.caches.keys;
  positions.Check(in, batch, caches.keys.length);
  float* const y = out.Floats({batch, width});
  const Caches updated = ReadCaches(&out, batch);
  out.Require(updated.keys.heads == caches.keys.heads &&
                  updated.keys.length == caches.keys.length &&
                  updated.keys.width == caches.keys.width,
              "the new caches have another shape");
  caches.keys.values = Updated(inputs[decoder::kInputKeys], outputs[decoder::kOutputNewKeys]);
  caches.values.values = Updated(inputs[decoder::kInputValues], outputs[decoder::kOutputNewValues]);

  kernels::Scratch& scratch = FreshScratch();
  const auto rows = [&](int64_t cols) {
    return scratch.Take<float>(static_cast<size_t>(batch) * static_cast<size_t>(cols));
  };
  Residual state(kernels, &scratch, x, batch, width, normalize_first, epsilon, y);
  int32_t first_head = 0;
  for (int32_t i = 0; i < num_applied; ++i) {
    const kernels::Scratch::Mark mark = scratch.Here();
    const AppliedLayer applied = ReadApplied(in, config.values + kCommon + kOfApplied * i,
                                             (inputs.size() - kLayers) / kLayerInputs);
    const Heads heads = Within(in, first_head, applied.heads, caches.keys);
    const Heads memory_heads =
        Within(in, applied.first_memory_head, applied.memory_heads, memory_keys);
    first_head += applied.heads;
    const int32_t own = applied.heads * caches.keys.width;
    const int32_t memory = applied.memory_heads * memory_keys.width;
    in.Seek(kLayers + kLayerInputs * static_cast<size_t>(applied.layer));
    const Layer layer = ReadLayer(&in, width, own, memory, activation);
    state.Apply(layer.norms[0], [&](const float* input, float* change) {
      float *const q = rows(own), *const k = rows(own), *const v = rows(own);
      float* const context = rows(own);
      ActivationValues activations(kernels, &scratch, input, batch, width);
      activations.Multiply(layer.query, q);
      activations.Multiply(layer.key, k);
      activations.Multiply(layer.value, v);
      AttendToCache(kernels, &scratch, batch, q, k, v, caches.keys, caches.values, heads, positions,
                    context);
      ActivationValues(kernels, &scratch, context, batch, own).Multiply(layer.output, change);
    });
    state.ApplyMemoryAttention(layer.norms[1], layer.memory, memories, memory_heads);
    state.ApplyFeedForward(layer.norms[2], layer.feed_forward);
    scratch.Return(mark);
  }
  in.Require(first_head == caches.keys.heads, "the caches have heads that no layer has");
}

}  // namespace

const Op kDecoder = {decoder::kSchema, Infer, Run};

}  // namespace tfcompress::ops
