#include <algorithm>

#include "ops/all.h"
#include "ops/compute.h"

namespace tfcompress::ops {
namespace {

constexpr size_t kLayers = group_transform::kSchema.num_inputs;
constexpr size_t kLayerInputs = group_transform::kSchema.layer_inputs;
// Values of the config in front of those of the layers, and of each layer.
constexpr int32_t kCommon = 1, kOfLayer = 5;

struct Rows {
  const float* values;
  int32_t width;
};

// A grouped linear layer.
struct Layer {
  int32_t groups;
  bool shuffle;
  kernels::Activation activation;
  float epsilon;
  kernels::Weight weight;
  const float* bias;
  const float* gamma;  // Null if it does not normalize.
  const float* beta;
};

Layer ReadLayer(Operands* in, const int32_t* config, int32_t width) {
  Layer layer = {};
  layer.groups = CountOf(*in, config[0]);
  layer.shuffle = FlagOf(*in, config[1]);
  const bool normalize = FlagOf(*in, config[2]);
  layer.activation = ActivationOf(*in, config[3]);
  layer.epsilon = EpsilonOf(*in, config[4]);
  in->Require(width % layer.groups == 0, "the groups do not divide the width");
  const int32_t units = in->Peek(3)[1];
  layer.weight = in->Weight({layer.groups, units, width / layer.groups});
  layer.bias = in->Floats({layer.weight.rows});
  const float* const gamma = in->Floats({units});
  const float* const beta = in->Floats({units});
  if (normalize) {
    layer.gamma = gamma;
    layer.beta = beta;
  }
  return layer;
}

void Apply(const kernels::Kernels& kernels, kernels::Scratch* scratch, const Layer& layer,
           const float* x, int32_t count, float* y) {
  const int32_t units = layer.weight.rows, own_units = units / layer.groups;
  const int32_t own_width = layer.weight.cols, width = own_width * layer.groups;
  const bool interleave = layer.shuffle && layer.groups > 1;
  const size_t size = static_cast<size_t>(count) * static_cast<size_t>(units);
  float* const products = interleave ? scratch->Take<float>(size) : y;
  for (int32_t k = 0; k < layer.groups; ++k) {
    ActivationValues(kernels, scratch, x + k * own_width, count, own_width, width)
        .Multiply(kernels::PartOf(layer.weight, k, layer.groups), layer.bias + k * own_units,
                  {0, own_units, nullptr}, {products + k * own_units, units});
  }
  for (int32_t row = 0; row < count; ++row) {
    const ptrdiff_t start = static_cast<ptrdiff_t>(row) * units;
    float* const to = y + start;
    if (interleave) kernels.interleave(products + start, layer.groups, own_units, to);
    for (int32_t k = 0; layer.gamma != nullptr && k < layer.groups; ++k) {
      float* const part = to + k * own_units;
      kernels.normalize(part, own_units, layer.gamma, layer.beta, layer.epsilon, part);
    }
    kernels.activate(layer.activation, units, to);
  }
}

// Rows in which each group has its part of x, then its part of y.
const float* Mix(kernels::Scratch* scratch, int32_t count, int32_t groups, const Rows& x,
                 const Rows& y) {
  const size_t width = static_cast<size_t>(x.width) + static_cast<size_t>(y.width);
  auto* const mixed = scratch->Take<float>(static_cast<size_t>(count) * width);
  float* to = mixed;
  const ptrdiff_t own_x = x.width / groups, own_y = y.width / groups;
  for (ptrdiff_t part = 0; part < static_cast<ptrdiff_t>(count) * groups; ++part) {
    to = std::copy_n(x.values + part * own_x, own_x, to);
    to = std::copy_n(y.values + part * own_y, own_y, to);
  }
  return mixed;
}

void Infer(const Shape* inputs, int32_t width, Shape* outputs) {
  outputs[0] = inputs[group_transform::kInputX];
  if (outputs[0].rank < 1) Ranked(outputs[0], 1);
  outputs[0].dims[outputs[0].rank - 1] = width;
}

void Run(const kernels::Kernels& kernels, const Tensors& inputs, const Tensors& outputs) {
  Operands in(kGroupTransform.name, "input", inputs);
  Operands out(kGroupTransform.name, "output", outputs);
  const auto layers = static_cast<int32_t>((inputs.size() - kLayers) / kLayerInputs);
  const int32_t* const config = in.Ints({kCommon + kOfLayer * layers});
  const bool projected = FlagOf(in, config[0]);
  const Operands::Rows x = in.FloatRows();
  const Operands::Rows y = out.FloatRows();

  kernels::Scratch& scratch = FreshScratch();
  // The chain's input, which its layers but the first see too.
  Rows chain = {x.values, x.width};
  Rows last = chain;
  const int32_t first = projected ? 1 : 0;
  for (int32_t i = 0; i < layers; ++i) {
    const bool mixes = i > first;
    const int32_t width = mixes ? chain.width + last.width : last.width;
    const Layer layer = ReadLayer(&in, config + kCommon + kOfLayer * i, width);
    const int32_t units = layer.weight.rows;
    const bool is_last = i + 1 == layers;
    out.Require(!is_last || (y.count == x.count && y.width == units),
                "the output has an unsuitable shape");
    const float* input = last.values;
    if (mixes) {
      in.Require(chain.width % layer.groups == 0 && last.width % layer.groups == 0,
                 "the groups do not divide the width");
      input = Mix(&scratch, x.count, layer.groups, chain, last);
    }
    const size_t size = static_cast<size_t>(x.count) * static_cast<size_t>(units);
    float* const result = is_last ? y.values : scratch.Take<float>(size);
    Apply(kernels, &scratch, layer, input, x.count, result);
    last = {result, units};
    if (i < first) chain = last;
  }
}

}  // namespace

const Op kGroupTransform = {group_transform::kSchema, Infer, Run};

}  // namespace tfcompress::ops
