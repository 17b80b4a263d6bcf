#ifndef TFCOMPRESS_KERNELS_BODY_ATTENTION_H_
#define TFCOMPRESS_KERNELS_BODY_ATTENTION_H_

#include "kernels/body/linear.h"
#include "kernels/body/rows.h"

namespace tfcompress::kernels {
namespace {

// Sums rows of kVectors vectors each, with a weight each.
template <int32_t kVectors, typename Lanes>
inline void WeightedSum(const float* weights, int32_t count, const float* rows, ptrdiff_t stride,
                        Lanes lanes, float* y) {
  // Two sums, as each addition waits for the one before it.
  F even[kVectors] = {}, odd[kVectors] = {};
  const auto add = [&](int32_t t, F* sums) {
    for (int32_t v = 0; v < kVectors; ++v) {
      sums[v] = MulAdd(Set(weights[t]), Load(rows + t * stride + v * kWidth, lanes), sums[v]);
    }
  };
  int32_t t = 0;
  for (; t + 2 <= count; t += 2) {
    add(t, even);
    add(t + 1, odd);
  }
  if (t < count) add(t, even);
  for (int32_t v = 0; v < kVectors; ++v) Store(even[v] + odd[v], y + v * kWidth, lanes);
}

// The scores are a product with the keys as weights.
inline void Score(const Attention& attention, float* scores) {
  const Input queries = {attention.queries, attention.query_stride,
                         attention.count,   attention.width,
                         nullptr,           nullptr};
  const Weight keys = {Type::kFloat32, attention.keys, nullptr, attention.live, attention.width, 0};
  const Selection all = {0, attention.live, nullptr};
  MultiplyAs<Float32Format>(
      {queries, keys, static_cast<ptrdiff_t>(sizeof(float)) * attention.stride, all, nullptr,
       1 / __builtin_sqrtf(static_cast<float>(attention.width)), Output{scores, attention.live}});
}

void Attend(const Attention& attention, float* scores, const Output& context) {
  Score(attention, scores);
  const ptrdiff_t stride = attention.stride;
  const int32_t live = attention.live, width = attention.width;
  for (ptrdiff_t r = 0; r < attention.count; ++r) {
    float* const weights = scores + r * live;
    float* const y = context.values + r * context.stride;
    SoftmaxRow(live, weights);
    int32_t i = 0;
    for (; i + 4 * kWidth <= width; i += 4 * kWidth) {
      WeightedSum<4>(weights, live, attention.values + i, stride, Full{}, y + i);
    }
    ForVectors(width - i, [&](int32_t k, auto lanes) {
      WeightedSum<1>(weights, live, attention.values + i + k, stride, lanes, y + i + k);
    });
  }
}

}  // namespace
}  // namespace tfcompress::kernels

#endif  // TFCOMPRESS_KERNELS_BODY_ATTENTION_H_
