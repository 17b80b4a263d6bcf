#define TFC_WIDTH 8
#include "kernels/body/avx.h"

namespace tfcompress::kernels {
namespace {

// The instruction that multiplies bytes adds pairs of products in 16 bits, which saturate. They
// cannot where one factor is at most 128 and the other one at most 127, as with the magnitudes of
// weights and activations that have been given the signs of the weights.
struct Int8Weights {
  __m256i values;
  __m256i magnitudes;
};
constexpr int32_t kInt8Bias = 0;

inline Int8Weights StoredInt8(__m256i values) { return {values, _mm256_abs_epi8(values)}; }

inline I AddPairs(I sums, __m256i pairs) {
  return sums + Bits<I>(_mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}

inline I Dot(I sums, const Int8Weights& weights, const ActivationValues& x) {
  const __m256i values = _mm256_sign_epi8(x.values, weights.values);
  return AddPairs(sums, _mm256_maddubs_epi16(weights.magnitudes, values));
}

// These are at most 15.
inline I Dot(I sums, const UnsignedWeights& weights, const ActivationValues& x) {
  return AddPairs(sums, _mm256_maddubs_epi16(weights.values, x.values));
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
  return AddPairs(sums,
                  _mm256_add_epi16(_mm256_maddubs_epi16(weights.first.values, x.first.values),
                                   _mm256_maddubs_epi16(weights.second.values, x.second.values)));
}

}  // namespace
}  // namespace tfcompress::kernels

#include "kernels/body/table.h"

namespace tfcompress::kernels {

const Kernels kAvx2Kernels = kTable;

}  // namespace tfcompress::kernels
