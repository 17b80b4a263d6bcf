#define TFC_WIDTH 8
#include "kernels/body/avx.h"

namespace tfcompress::kernels {
namespace {

// What the instruction multiplies by is unsigned: weights are biased.
using Int8Weights = UnsignedWeights;
constexpr int32_t kInt8Bias = 128;

inline Int8Weights StoredInt8(__m256i values) {
  return {_mm256_xor_si256(values, _mm256_set1_epi8(static_cast<char>(kInt8Bias)))};
}

inline I Dot(I sums, const UnsignedWeights& weights, const ActivationValues& x) {
  return Bits<I>(_mm256_dpbusd_avx_epi32(Bits<__m256i>(sums), weights.values, x.values));
}

constexpr int32_t kManyRows = 2, kManyPanels = 1;
constexpr int32_t kFewRows = 2, kFewPanels = 1;
constexpr int32_t kOnePanels = 1;

}  // namespace
}  // namespace tfcompress::kernels

#include "kernels/body/avx_weights.h"

namespace tfcompress::kernels {
namespace {

inline I Dot(I sums, const Int4::Weights& weights, const Int4::Values& x) {
  return Dot(Dot(sums, weights.first, x.first), weights.second, x.second);
}

}  // namespace
}  // namespace tfcompress::kernels

#include "kernels/body/table.h"

namespace tfcompress::kernels {

const Kernels kAvxVnniKernels = kTable;

}  // namespace tfcompress::kernels
