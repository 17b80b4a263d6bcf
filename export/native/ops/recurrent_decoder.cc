#include <algorithm>

#include "ops/all.h"
#include "ops/caches.h"
#include "ops/layer.h"

namespace tfcompress::ops {
namespace {

namespace schema = recurrent_decoder;

constexpr size_t kLayers = schema::kSchema.num_inputs;
constexpr size_t kLayerInputs = schema::kSchema.layer_inputs;

// What follows the config's first values, for each layer as it is applied: whose weights it takes,
// and its heads in the memory.
constexpr int32_t kCommon = 3, kOfApplied = 3;
constexpr int32_t kMostApplied = 256;

struct Layer {
  Dense candidate, gate;
  MemoryAttention memory;
  FeedForward feed_forward;
  Norm norms[3];
};

void Infer(const Shape* inputs, int32_t, Shape* outputs) {
  outputs[schema::kOutputY] = inputs[schema::kInputX];
  outputs[schema::kOutputNewCells] = inputs[schema::kInputCells];
}

Layer ReadLayer(Operands* in, int64_t width, int64_t memory, kernels::Activation activation) {
  Layer layer = {};
  layer.candidate = in->Layer(width, width);
  layer.gate = in->Layer(width, width);
  layer.memory = ReadMemoryAttention(in, width, memory);
  layer.feed_forward = ReadFeedForward(in, width, activation);
  for (Norm& norm : layer.norms) norm = ReadNorm(in, width);
  return layer;
}

// cell = gate * cell + (1 - gate) * candidate, and the change is what of it is positive.
void Recur(const float* gate, const float* candidate, int32_t width, float* cell, float* change) {
  for (int32_t i = 0; i < width; ++i) {
    cell[i] = gate[i] * cell[i] + (1.0f - gate[i]) * candidate[i];
    change[i] = std::max(cell[i], 0.0f);
  }
}

void Run(const kernels::Kernels& kernels, const Tensors& inputs, const Tensors& outputs) {
  Operands in(kRecurrentDecoder.name, "input", inputs);
  Operands out(kRecurrentDecoder.name, "output", outputs);
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
  in.Floats({batch, num_applied, width});
  const Memories memories = ReadPaddedMemories(&in, batch);
  const Cache& memory_keys = memories.caches.keys;
  float* const y = out.Floats({batch, width});
  out.Floats({batch, num_applied, width});
  float* const cells = Updated(inputs[schema::kInputCells], outputs[schema::kOutputNewCells]);

  kernels::Scratch& scratch = FreshScratch();
  Residual state(kernels, &scratch, x, batch, width, normalize_first, epsilon, y);
  const size_t size = static_cast<size_t>(batch) * static_cast<size_t>(width);
  const size_t num_layers = (inputs.size() - kLayers) / kLayerInputs;
  for (int32_t i = 0; i < num_applied; ++i) {
    const kernels::Scratch::Mark mark = scratch.Here();
    const int32_t* const applied = config.values + kCommon + kOfApplied * i;
    in.Require(applied[0] >= 0 && static_cast<size_t>(applied[0]) < num_layers,
               "the config names an unknown layer");
    const Heads heads = Within(in, applied[1], CountOf(in, applied[2]), memory_keys);
    in.Seek(kLayers + kLayerInputs * static_cast<size_t>(applied[0]));
    const Layer layer = ReadLayer(&in, width, int64_t{heads.count} * memory_keys.width, activation);
    state.Apply(layer.norms[0], [&](const float* input, float* change) {
      auto* const gate = scratch.Take<float>(size);
      auto* const candidate = scratch.Take<float>(size);
      ActivationValues activations(kernels, &scratch, input, batch, width);
      activations.Multiply(layer.gate, gate);
      activations.Multiply(layer.candidate, candidate);
      for (ptrdiff_t row = 0; row < batch; ++row) {
        const ptrdiff_t at = row * width;
        kernels.activate(kernels::Activation::kSigmoid, width, gate + at);
        Recur(gate + at, candidate + at, width, cells + (row * num_applied + i) * width,
              change + at);
      }
    });
    state.ApplyMemoryAttention(layer.norms[1], layer.memory, memories, heads);
    state.ApplyFeedForward(layer.norms[2], layer.feed_forward);
    scratch.Return(mark);
  }
}

}  // namespace

const Op kRecurrentDecoder = {schema::kSchema, Infer, Run};

}  // namespace tfcompress::ops
