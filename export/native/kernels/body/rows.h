// What is done to a row of numbers.
#ifndef TFCOMPRESS_KERNELS_BODY_ROWS_H_
#define TFCOMPRESS_KERNELS_BODY_ROWS_H_

#include "kernels/body/math.h"

namespace tfcompress::kernels {
namespace {

constexpr float kLowest = -__builtin_inff();

void Add(const float* x, int32_t size, float* y) {
  ForVectors(size, [&](int32_t i, auto lanes) {
    Store(Load(y + i, lanes) + Load(x + i, lanes), y + i, lanes);
  });
}

void Normalize(const float* x, int32_t size, const float* gamma, const float* beta, float epsilon,
               float* y) {
  const float share = 1 / static_cast<float>(size);
  F sum = {}, squares = {};
  ForVectors(size, [&](int32_t i, auto lanes) { sum += Load(x + i, lanes); });
  const float mean = Sum(sum) * share;
  ForVectors(size, [&](int32_t i, auto lanes) {
    const F difference = Load(x + i, lanes, mean) - mean;
    squares = MulAdd(difference, difference, squares);
  });
  const float scale = 1 / __builtin_sqrtf(Sum(squares) * share + epsilon);
  ForVectors(size, [&](int32_t i, auto lanes) {
    const F normal = (Load(x + i, lanes) - mean) * scale;
    Store(MulAdd(normal, Load(gamma + i, lanes), Load(beta + i, lanes)), y + i, lanes);
  });
}

template <typename Function>
inline void Map(int32_t size, float* x, const Function& function) {
  ForVectors(size,
             [&](int32_t i, auto lanes) { Store(function(Load(x + i, lanes)), x + i, lanes); });
}

void Activate(Activation activation, int32_t size, float* x) {
  switch (activation) {
    case Activation::kLinear:
      return;
    case Activation::kRelu:
      return Map(size, x, [](F v) { return Max(F{}, v); });
    case Activation::kGelu:
      return Map(size, x, [](F v) { return v * NormalCdf(v); });
    case Activation::kSwish:
      return Map(size, x, [](F v) { return v * Sigmoid(v); });
    case Activation::kTanh:
      return Map(size, x, [](F v) { return 2 * Sigmoid(2 * v) - 1; });
    case Activation::kSigmoid:
      return Map(size, x, [](F v) { return Sigmoid(v); });
    case Activation::kGeluTanh:
      // (1 + tanh(z)) / 2 is the sigmoid of 2z.
      return Map(size, x,
                 [](F v) { return v * Sigmoid(1.59576912f * MulAdd(0.044715f * v * v, v, v)); });
  }
}

void Gate(const float* x, int32_t size, float* y) {
  ForVectors(size, [&](int32_t i, auto lanes) {
    Store(Load(x + i, lanes) * Sigmoid(Load(x + size + i, lanes)), y + i, lanes);
  });
}

template <int32_t kGroups>
inline void InterleaveSome(const float* x, int32_t own, float* y) {
  for (int32_t j = 0; j < own; ++j) {
    for (int32_t k = 0; k < kGroups; ++k) y[j * kGroups + k] = x[k * own + j];
  }
}

void Interleave(const float* x, int32_t groups, int32_t own, float* y) {
  switch (groups) {
    case 2:
      return InterleaveSome<2>(x, own, y);
    case 4:
      return InterleaveSome<4>(x, own, y);
    case 8:
      return InterleaveSome<8>(x, own, y);
    default:
      for (int32_t k = 0; k < groups; ++k) {
        for (int32_t j = 0; j < own; ++j) y[j * groups + k] = x[k * own + j];
      }
  }
}

float LargestOf(const float* x, int32_t size) {
  F largest = Set(kLowest);
  ForVectors(size,
             [&](int32_t i, auto lanes) { largest = Max(Load(x + i, lanes, kLowest), largest); });
  return Largest(largest);
}

float SumExp(const float* x, int32_t size, float shift) {
  F sum = {};
  ForVectors(size, [&](int32_t i, auto lanes) { sum += Exp(Load(x + i, lanes, kLowest) - shift); });
  return Sum(sum);
}

inline void SoftmaxRow(int32_t size, float* x) {
  const float largest = LargestOf(x, size);
  F sum = {};
  ForVectors(size, [&](int32_t i, auto lanes) {
    const F y = Exp(Load(x + i, lanes, kLowest) - largest);
    sum += y;
    Store(y, x + i, lanes);
  });
  const float factor = 1 / Sum(sum);
  Map(size, x, [=](F v) { return v * factor; });
}

// Rows narrower than a vector: the exponentials of all are computed together.
inline void SoftmaxNarrow(int32_t rows, int32_t size, float* x) {
  const float* const end = x + static_cast<ptrdiff_t>(rows) * size;
  for (float* row = x; row < end; row += size) {
    float largest = row[0];
    for (int32_t k = 1; k < size; ++k) largest = row[k] > largest ? row[k] : largest;
    for (int32_t k = 0; k < size; ++k) row[k] -= largest;
  }
  Map(rows * size, x, Exp);
  for (float* row = x; row < end; row += size) {
    float sum = 0;
    for (int32_t k = 0; k < size; ++k) sum += row[k];
    for (int32_t k = 0; k < size; ++k) row[k] /= sum;
  }
}

void Softmax(int32_t rows, int32_t size, float* x) {
  if (size < kWidth) return SoftmaxNarrow(rows, size, x);
  for (int32_t r = 0; r < rows; ++r) SoftmaxRow(size, x + static_cast<ptrdiff_t>(r) * size);
}

int32_t FindAbove(const float* x, int32_t begin, int32_t size, float threshold) {
  int32_t i = begin;
  for (int32_t span = 4 * kWidth; span >= kWidth; span /= 4) {
    while (i + span <= size && !(LargestOf(x + i, span) > threshold)) i += span;
  }
  while (i < size && !(x[i] > threshold)) ++i;
  return i;
}

}  // namespace
}  // namespace tfcompress::kernels

#endif  // TFCOMPRESS_KERNELS_BODY_ROWS_H_
