#include "ops/all.h"
#include "ops/compute.h"

namespace tfcompress::ops {
namespace {

void Infer(const Shape* inputs, int32_t width, Shape* outputs) {
  outputs[0] = inputs[1];
  if (outputs[0].rank < 1) Ranked(outputs[0], 1);
  outputs[0].dims[outputs[0].rank - 1] = width;
}

// y[j * groups + k] is the unit j of group k.
void Interleave(const float* x, int32_t groups, int32_t own, float* y) {
  for (int32_t k = 0; k < groups; ++k) {
    for (int32_t j = 0; j < own; ++j) y[j * groups + k] = x[k * own + j];
  }
}

void Run(const kernels::Kernels& kernels, const Tensors& inputs, const Tensors& outputs) {
  Operands in(kGroupLinear.name, "input", inputs);
  Operands out(kGroupLinear.name, "output", outputs);
  const int32_t* const config = in.Ints({5});
  const int32_t groups = CountOf(in, config[0]);
  const bool shuffle = FlagOf(in, config[1]), normalize = FlagOf(in, config[2]);
  const kernels::Activation activation = ActivationOf(in, config[3]);
  const float epsilon = EpsilonOf(in, config[4]);
  const Operands::Rows x = in.FloatRows();
  in.Require(x.width % groups == 0, "the groups do not divide the width");
  const int32_t own_width = x.width / groups, own_units = in.Peek(3)[1];
  const kernels::Weight weight = in.Weight({groups, own_units, own_width});
  const int32_t units = weight.rows;
  const float* const bias = in.Floats({units});
  const float* const gamma = normalize ? in.Floats({own_units}) : nullptr;
  const float* const beta = normalize ? in.Floats({own_units}) : nullptr;
  const Operands::Rows y = out.FloatRows();
  out.Require(y.count == x.count && y.width == units, "the output has an unsuitable shape");

  kernels::Scratch& scratch = FreshScratch();
  const bool interleave = shuffle && groups > 1;
  const size_t size = static_cast<size_t>(y.count) * static_cast<size_t>(units);
  float* const products = interleave ? scratch.Take<float>(size) : y.values;
  for (int32_t k = 0; k < groups; ++k) {
    Activations(kernels, &scratch, x.values + k * own_width, x.count, own_width, x.width)
        .Multiply(weight, bias, {k * own_units, own_units, nullptr},
                  {products + k * own_units, units});
  }
  for (int32_t row = 0; row < y.count; ++row) {
    const ptrdiff_t start = static_cast<ptrdiff_t>(row) * units;
    float* const to = y.values + start;
    if (interleave) Interleave(products + start, groups, own_units, to);
    for (int32_t k = 0; normalize && k < groups; ++k) {
      float* const part = to + k * own_units;
      kernels.normalize(part, own_units, gamma, beta, epsilon, part);
    }
    kernels.activate(activation, units, to);
  }
}

}  // namespace

const Op kGroupLinear = {"tfc.GroupLinear", 7, 1, 0, Inputs({1}), Infer, Run};

}  // namespace tfcompress::ops
