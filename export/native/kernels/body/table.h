#ifndef TFCOMPRESS_KERNELS_BODY_TABLE_H_
#define TFCOMPRESS_KERNELS_BODY_TABLE_H_

#include "kernels/body/attention.h"
#include "kernels/body/linear.h"
#include "kernels/body/rows.h"
#include "kernels/body/sequences.h"

namespace tfcompress::kernels {
namespace {

constexpr Kernels kTable = {Quantize, Multiply, Add,     Normalize, Activate,  Softmax, Gate,
                            Attend,   Convolve, Average, FindAbove, LargestOf, SumExp};

}  // namespace
}  // namespace tfcompress::kernels

#endif  // TFCOMPRESS_KERNELS_BODY_TABLE_H_
