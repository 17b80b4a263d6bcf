#include <arm_neon.h>

#define TFC_WIDTH 4
#include "kernels/body/simd.h"

namespace tfcompress::kernels {
namespace {

constexpr int32_t kColumns = 4;
constexpr int32_t kTile = 4;

inline F MulAdd(F a, F b, F c) {
  return Bits<F>(vfmaq_f32(Bits<float32x4_t>(c), Bits<float32x4_t>(a), Bits<float32x4_t>(b)));
}

using Quantized = int8_t;

struct ActivationValues {
  int8x16_t values;
};

inline ActivationValues LoadActivationValues(const int8_t* from) { return {vld1q_s8(from)}; }

struct Int8 {
  using Weights = ActivationValues;
  static constexpr int32_t kStep = 16;
  static constexpr int32_t kBits = 8;
  static constexpr int32_t kBias = 0;

  static Weights Load(const uint8_t* row, int32_t i, Full) {
    return {vreinterpretq_s8_u8(vld1q_u8(row + i))};
  }
  static Weights Load(const uint8_t* row, int32_t i, Part part) {
    uint8_t bytes[kStep] = {};
    memcpy(bytes, row + i, static_cast<size_t>(part.count));
    return Load(bytes, 0, Full{});
  }
};

struct Int4 {
  using Weights = ActivationValues;
  static constexpr int32_t kStep = 16;
  static constexpr int32_t kBits = 4;
  static constexpr int32_t kBias = 0;

  static Weights Load(const uint8_t* row, int32_t i, Full) {
    const int8x8_t pairs = vreinterpret_s8_u8(vld1_u8(row + i / 2));
    const int8x8_t low = vshr_n_s8(vshl_n_s8(pairs, 4), 4), high = vshr_n_s8(pairs, 4);
    return {vcombine_s8(vzip1_s8(low, high), vzip2_s8(low, high))};
  }
  static Weights Load(const uint8_t* row, int32_t i, Part part) {
    uint8_t bytes[kStep / 2] = {};
    memcpy(bytes, row + i / 2, static_cast<size_t>(part.count / 2));
    return Load(bytes, 0, Full{});
  }
};

inline I Dot(I sums, const ActivationValues& weights, const ActivationValues& x) {
  return Bits<I>(vdotq_s32(Bits<int32x4_t>(sums), weights.values, x.values));
}

inline I BiasProducts(const ActivationValues&) { return I{}; }

template <typename Lanes>
inline F BlockScales(const float* scales, Lanes) {
  return Set(*scales);
}

inline I AddNeighbours(I a, I b) {
  return Bits<I>(vpaddq_s32(Bits<int32x4_t>(a), Bits<int32x4_t>(b)));
}
inline F AddNeighbours(F a, F b) {
  return Bits<F>(vpaddq_f32(Bits<float32x4_t>(a), Bits<float32x4_t>(b)));
}

template <typename Vector>
inline Vector AddColumns(const Vector (&v)[4]) {
  return AddNeighbours(AddNeighbours(v[0], v[1]), AddNeighbours(v[2], v[3]));
}

// The columns are whole.
template <typename Vector, typename T>
inline void AddParts(const Vector (&parts)[4], T (&sums)[16]) {
  memcpy(sums, parts, sizeof(sums));
}

constexpr int32_t kPanelParts = 4;
using PanelSums = I;
constexpr int32_t kManyRows = 4, kManyPanels = 1;
constexpr int32_t kFewRows = 4, kFewPanels = 1;
constexpr int32_t kOnePanels = 2;

inline ActivationValues PanelPart(const uint8_t* from, int32_t part) {
  return Int8::Load(from, part * Int8::kStep, Full{});
}

inline ActivationValues Repeat(const int8_t* from) {
  int32_t bits;
  memcpy(&bits, from, sizeof(bits));
  return {vreinterpretq_s8_s32(vdupq_n_s32(bits))};
}

inline void AddPanelParts(const I (&parts)[4], I (&totals)[4]) {
  memcpy(totals, parts, sizeof(totals));
}

}  // namespace
}  // namespace tfcompress::kernels

#include "kernels/body/table.h"

namespace tfcompress::kernels {

const Kernels kNeonDotKernels = kTable;

}  // namespace tfcompress::kernels
