#ifndef TFCOMPRESS_KERNELS_BODY_TABLE_H_
#define TFCOMPRESS_KERNELS_BODY_TABLE_H_

#include "kernels/body/attention.h"
#include "kernels/body/linear.h"
#include "kernels/body/panels.h"
#include "kernels/body/rows.h"
#include "kernels/body/sequences.h"

namespace tfcompress::kernels {
namespace {

void Multiply(const Input& input, const Weight& weight, const Selection& selection,
              const float* bias, const Output& y) {
  const Product product = {input, weight, 0, selection, bias, 1, y};
  if (weight.type == Type::kInt8Panels) return MultiplyByPanels<Int8Panels>(product);
  if (weight.type == Type::kInt4Panels) return MultiplyByPanels<Int4Panels>(product);
  MultiplyByRows(input, weight, selection, bias, y);
}

constexpr Kernels kTable = {Quantize, Complete, Multiply,   Add,       Normalize,
                            Activate, Softmax,  Interleave, Gate,      Attend,
                            Convolve, Average,  FindAbove,  LargestOf, SumExp};

}  // namespace
}  // namespace tfcompress::kernels

#endif  // TFCOMPRESS_KERNELS_BODY_TABLE_H_
