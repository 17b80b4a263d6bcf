#ifndef TFCOMPRESS_KERNELS_BODY_ATTENTION_H_
#define TFCOMPRESS_KERNELS_BODY_ATTENTION_H_

#include "kernels/body/linear.h"
#include "kernels/body/rows.h"

namespace tfcompress::kernels {
namespace {

// Sums rows of kVectors vectors each, with a weight each, for kQueries lists of `count` weights
// that follow one another. Each list's sum is the same however many there are.
template <int32_t kQueries, int32_t kVectors, typename Lanes>
inline void WeightedSums(const float* weights, int32_t count, const float* rows, ptrdiff_t stride,
                         Lanes lanes, const Output& y) {
  // Two sums, as each addition waits for the one before it.
  F even[kQueries][kVectors] = {}, odd[kQueries][kVectors] = {};
  const auto add = [&](int32_t t, F(&sums)[kQueries][kVectors]) {
    F row[kVectors];
#pragma GCC unroll 4
    for (int32_t v = 0; v < kVectors; ++v) row[v] = Load(rows + t * stride + v * kWidth, lanes);
#pragma GCC unroll 4
    for (int32_t q = 0; q < kQueries; ++q) {
      const F weight = Set(weights[q * count + t]);
#pragma GCC unroll 4
      for (int32_t v = 0; v < kVectors; ++v) sums[q][v] = MulAdd(weight, row[v], sums[q][v]);
    }
  };
  int32_t t = 0;
  for (; t + 2 <= count; t += 2) {
    add(t, even);
    add(t + 1, odd);
  }
  if (t < count) add(t, even);
#pragma GCC unroll 4
  for (int32_t q = 0; q < kQueries; ++q) {
#pragma GCC unroll 4
    for (int32_t v = 0; v < kVectors; ++v) {
      Store(even[q][v] + odd[q][v], y.values + q * y.stride + v * kWidth, lanes);
    }
  }
}

template <int32_t kQueries>
inline void SumValues(const Attention& attention, const float* weights, const Output& y) {
  constexpr int32_t kVectors = kQueries == 1 ? 4 : 2;
  const ptrdiff_t stride = attention.stride;
  const int32_t live = attention.live, width = attention.width;
  int32_t i = 0;
  for (; i + kVectors * kWidth <= width; i += kVectors * kWidth) {
    WeightedSums<kQueries, kVectors>(weights, live, attention.values + i, stride, Full{},
                                     {y.values + i, y.stride});
  }
  ForVectors(width - i, [&](int32_t k, auto lanes) {
    WeightedSums<kQueries, 1>(weights, live, attention.values + i + k, stride, lanes,
                              {y.values + i + k, y.stride});
  });
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
  const ptrdiff_t live = attention.live;
  for (ptrdiff_t r = 0; r < attention.count; ++r) SoftmaxRow(attention.live, scores + r * live);
  ptrdiff_t r = 0;
  for (; r + kTile <= attention.count; r += kTile) {
    SumValues<kTile>(attention, scores + r * live,
                     {context.values + r * context.stride, context.stride});
  }
  for (; r < attention.count; ++r) {
    SumValues<1>(attention, scores + r * live,
                 {context.values + r * context.stride, context.stride});
  }
}

}  // namespace
}  // namespace tfcompress::kernels

#endif  // TFCOMPRESS_KERNELS_BODY_ATTENTION_H_
