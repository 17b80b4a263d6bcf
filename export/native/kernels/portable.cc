// Plain C++, what the other levels are compared with.
#define TFC_WIDTH 1
#include "kernels/body/simd.h"

namespace tfcompress::kernels {
namespace {

constexpr int32_t kColumns = 1;
constexpr int32_t kTile = 1;

inline float MulAdd(float a, float b, float c) { return a * b + c; }

using Quantized = int8_t;

struct ActivationValues {
  int8_t values[32];
};

inline ActivationValues LoadActivationValues(const int8_t* from) {
  ActivationValues x;
  memcpy(x.values, from, sizeof(x.values));
  return x;
}

struct Int8 {
  using Weights = ActivationValues;
  static constexpr int32_t kStep = 32;
  static constexpr int32_t kBits = 8;
  static constexpr int32_t kBias = 0;

  static Weights Load(const uint8_t* row, int32_t i, Full) {
    return LoadActivationValues(reinterpret_cast<const int8_t*>(row) + i);
  }
  static Weights Load(const uint8_t* row, int32_t i, Part part) {
    Weights weights = {};
    memcpy(weights.values, row + i, static_cast<size_t>(part.count));
    return weights;
  }
};

struct Int4 {
  using Weights = ActivationValues;
  static constexpr int32_t kStep = 32;
  static constexpr int32_t kBits = 4;
  static constexpr int32_t kBias = 0;

  static Weights Load(const uint8_t* row, int32_t i, Full) { return Load(row, i, Part{kStep}); }
  static Weights Load(const uint8_t* row, int32_t i, Part part) {
    Weights weights = {};
    for (int32_t k = 0; k < part.count; k += 2) {
      const uint8_t pair = row[(i + k) / 2];
      weights.values[k] = Signed(pair & 15);
      weights.values[k + 1] = Signed(pair >> 4);
    }
    return weights;
  }

 private:
  static int8_t Signed(int32_t nibble) { return static_cast<int8_t>((nibble ^ 8) - 8); }
};

inline int32_t Dot(int32_t sum, const Int8::Weights& weights, const ActivationValues& x) {
  for (int32_t k = 0; k < 32; ++k) sum += weights.values[k] * x.values[k];
  return sum;
}

inline int32_t BiasProducts(const ActivationValues&) { return 0; }

template <typename Lanes>
inline float BlockScales(const float* scales, Lanes) {
  return *scales;
}

template <typename T>
inline T AddColumns(const T (&v)[1]) {
  return v[0];
}

template <typename T>
inline void AddParts(const T (&parts)[1], T (&sums)[1]) {
  sums[0] = parts[0];
}

constexpr int32_t kPanelParts = 1;
constexpr int32_t kManyRows = 1, kManyPanels = 1;
constexpr int32_t kFewRows = 1, kFewPanels = 1;
constexpr int32_t kOnePanels = 1;

struct PanelSums {
  int32_t values[kPanelRows];
};

struct PanelWeights {
  int8_t values[kPanelRows][kPanelCols];
};

struct Repeated {
  int16_t values[kPanelCols];
};

inline PanelWeights PanelPart(const uint8_t* from, int32_t) {
  PanelWeights weights;
  memcpy(weights.values, from, sizeof(weights.values));
  return weights;
}

inline Repeated Repeat(const int8_t* from) { return {{from[0], from[1], from[2], from[3]}}; }

inline PanelSums Dot(PanelSums sums, const PanelWeights& weights, const Repeated& x) {
// Unrolled, it would not become vectors.
#pragma GCC unroll 1
  for (int32_t r = 0; r < kPanelRows; ++r) {
    const int8_t* const w = weights.values[r];
    // Two products fit in 16 bits, which processors add faster.
    const auto first = static_cast<int16_t>(w[0] * x.values[0] + w[1] * x.values[1]);
    const auto second = static_cast<int16_t>(w[2] * x.values[2] + w[3] * x.values[3]);
    sums.values[r] += first + second;
  }
  return sums;
}

inline void AddPanelParts(const PanelSums (&parts)[1], int32_t (&totals)[kPanelRows]) {
  memcpy(totals, parts[0].values, sizeof(totals));
}

}  // namespace
}  // namespace tfcompress::kernels

#include "kernels/body/table.h"

namespace tfcompress::kernels {

const Kernels kPortableKernels = kTable;

}  // namespace tfcompress::kernels
