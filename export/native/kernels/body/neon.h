// What levels of NEON with dot products have in common.
#ifndef TFCOMPRESS_KERNELS_BODY_NEON_H_
#define TFCOMPRESS_KERNELS_BODY_NEON_H_

#include <arm_neon.h>

#include "kernels/body/simd.h"

namespace tfcompress::kernels {
namespace {

constexpr int32_t kColumns = 4;
constexpr int32_t kTile = 4;

inline F MulAdd(F a, F b, F c) {
  return Bits<F>(vfmaq_f32(Bits<float32x4_t>(c), Bits<float32x4_t>(a), Bits<float32x4_t>(b)));
}

inline void StoreBytes(I x, int8_t* to) {
  const int16x4_t words = vmovn_s32(Bits<int32x4_t>(x));
  const int8x8_t bytes = vmovn_s16(vcombine_s16(words, words));
  memcpy(to, &bytes, 4);
}

struct Bytes {
  int8x16_t values;
};

inline Bytes LoadBytes(const void* from) { return {vld1q_s8(static_cast<const int8_t*>(from))}; }

inline I Dot(I sums, const Bytes& weights, const Bytes& x) {
  return Bits<I>(vdotq_s32(Bits<int32x4_t>(sums), weights.values, x.values));
}

struct Int8 {
  using Weights = Bytes;
  using Values = Bytes;
  static constexpr int32_t kStep = 16;
  static constexpr int32_t kBias = 0;

  static Weights Load(const uint8_t* row, int32_t i, Full) { return LoadBytes(row + i); }
  static Weights Load(const uint8_t* row, int32_t i, Part part) {
    uint8_t bytes[kStep] = {};
    memcpy(bytes, row + i, static_cast<size_t>(part.count));
    return LoadBytes(bytes);
  }
  static Values LoadValues(const int8_t* x) { return LoadBytes(x); }
};

struct Int4 {
  struct Weights {
    Bytes first;
    Bytes second;
  };
  using Values = Weights;
  static constexpr int32_t kStep = 32;
  static constexpr int32_t kBias = 0;

  static Weights Load(const uint8_t* row, int32_t i, Full) {
    const int8x16_t pairs = LoadBytes(row + i / 2).values;
    return {{vshrq_n_s8(vshlq_n_s8(pairs, 4), 4)}, {vshrq_n_s8(pairs, 4)}};
  }
  static Weights Load(const uint8_t* row, int32_t i, Part part) {
    uint8_t bytes[kStep / 2] = {};
    memcpy(bytes, row + i / 2, static_cast<size_t>(part.count / 2));
    return Load(bytes, 0, Full{});
  }
  static Values LoadValues(const int8_t* x) { return {LoadBytes(x), LoadBytes(x + kStep / 2)}; }
};

inline I Dot(I sums, const Int4::Weights& weights, const Int4::Values& x) {
  return Dot(Dot(sums, weights.first, x.first), weights.second, x.second);
}

inline I BiasProducts(const Int4::Values&) { return I{}; }

inline void SplitPairs(const int8_t* from, int8_t* to) {
  const int8x16_t a = LoadBytes(from).values, b = LoadBytes(from + 16).values;
  vst1q_s8(to, vuzp1q_s8(a, b));
  vst1q_s8(to + 16, vuzp2q_s8(a, b));
}

inline F BlockScales(const float* const (&scales)[4], int32_t) {
  return F{*scales[0], *scales[1], *scales[2], *scales[3]};
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

constexpr int32_t kPanelParts = 8;
using PanelSums = I;

struct Int8Panels {
  using Part = Bytes;
  static constexpr int32_t kBits = 8;
  static constexpr int32_t kBias = 0;
  static Part Load(const uint8_t* from, int32_t part) { return LoadBytes(from + 16 * part); }
};

struct Int4Panels {
  using Part = Bytes;
  static constexpr int32_t kBits = 4;
  static constexpr int32_t kBias = kInt4Bias;
  static Part Load(const uint8_t* from, int32_t part) {
    const uint8x16_t pairs = vld1q_u8(from + 16 * (part % 4));
    return {vreinterpretq_s8_u8(part < 4 ? vandq_u8(pairs, vdupq_n_u8(15)) : vshrq_n_u8(pairs, 4))};
  }
};

inline Bytes Repeat(const int8_t* from) {
  int64_t bits;
  memcpy(&bits, from, sizeof(bits));
  return {vreinterpretq_s8_s64(vdupq_n_s64(bits))};
}

// Each row has two sums.
inline void AddPanelParts(const I (&parts)[8], I (&totals)[4]) {
  for (int32_t i = 0; i < 4; ++i) totals[i] = AddNeighbours(parts[i], parts[i + 4]);
}

}  // namespace
}  // namespace tfcompress::kernels

#endif  // TFCOMPRESS_KERNELS_BODY_NEON_H_
