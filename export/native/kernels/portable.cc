// Plain C++, what the other levels are compared with.
#define TFC_WIDTH 1
#include "kernels/body/simd.h"

namespace tfcompress::kernels {
namespace {

constexpr int32_t kColumns = 1;
constexpr int32_t kTile = 1;

inline float MulAdd(float a, float b, float c) { return a * b + c; }

inline void StoreBytes(int32_t x, int8_t* to) { *to = static_cast<int8_t>(x); }

struct ActivationValues {
  int8_t values[32];
};

inline ActivationValues LoadActivations(const int8_t* from) {
  ActivationValues x;
  memcpy(x.values, from, sizeof(x.values));
  return x;
}

struct Int8 {
  using Weights = ActivationValues;
  using Values = ActivationValues;
  static constexpr int32_t kStep = 32;
  static constexpr int32_t kBias = 0;

  static Weights Load(const uint8_t* row, int32_t i, Full) {
    return LoadActivations(reinterpret_cast<const int8_t*>(row) + i);
  }
  static Weights Load(const uint8_t* row, int32_t i, Part part) {
    Weights weights = {};
    memcpy(weights.values, row + i, static_cast<size_t>(part.count));
    return weights;
  }
  static Values LoadValues(const int8_t* x) { return LoadActivations(x); }
};

struct Int4 : Int8 {
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

// Pairs stay where they are.
inline void SplitPairs(const int8_t* from, int8_t* to) { memcpy(to, from, Int4::kStep); }

inline float BlockScales(const float* const (&scales)[1], int32_t) { return *scales[0]; }

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

struct Int8Panels {
  using Part = PanelWeights;
  static constexpr int32_t kBits = 8;
  static constexpr int32_t kBias = 0;
  static Part Load(const uint8_t* from, int32_t) {
    PanelWeights weights;
    memcpy(weights.values, from, sizeof(weights.values));
    return weights;
  }
};

struct Int4Panels {
  using Part = PanelWeights;
  static constexpr int32_t kBits = 4;
  static constexpr int32_t kBias = kInt4Bias;
  static Part Load(const uint8_t* from, int32_t) {
    PanelWeights weights;
    constexpr int32_t kHalf = kPanelRows / 2;
    for (int32_t r = 0; r < kHalf; ++r) {
      for (int32_t c = 0; c < kPanelCols; ++c) {
        const uint8_t pair = from[r * kPanelCols + c];
        weights.values[r][c] = static_cast<int8_t>(pair & 15);
        weights.values[r + kHalf][c] = static_cast<int8_t>(pair >> 4);
      }
    }
    return weights;
  }
};

inline Repeated Repeat(const int8_t* from) {
  Repeated x;
  for (int32_t c = 0; c < kPanelCols; ++c) x.values[c] = from[c];
  return x;
}

inline PanelSums Dot(PanelSums sums, const PanelWeights& weights, const Repeated& x) {
// Unrolled, it would not become vectors.
#pragma GCC unroll 1
  for (int32_t r = 0; r < kPanelRows; ++r) {
    const int8_t* const w = weights.values[r];
    // Two products fit in 16 bits, which processors add faster.
    for (int32_t c = 0; c < kPanelCols; c += 2) {
      sums.values[r] += static_cast<int16_t>(w[c] * x.values[c] + w[c + 1] * x.values[c + 1]);
    }
  }
  return sums;
}

// Rows stand in pairs, every other one behind all others.
inline void AddPanelParts(const PanelSums (&parts)[1], int32_t (&totals)[kPanelRows]) {
  for (int32_t r = 0; r < kPanelRows; ++r) {
    const int32_t pair = r / 2, place = pair / 2 + pair % 2 * (kPanelRows / 4);
    totals[r] = parts[0].values[2 * place + r % 2];
  }
}

struct OneRow;
using ManyRows = OneRow;

}  // namespace
}  // namespace tfcompress::kernels

#include "kernels/body/table.h"

namespace tfcompress::kernels {

const Kernels kPortableKernels = kTable;

}  // namespace tfcompress::kernels
