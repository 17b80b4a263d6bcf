#include <immintrin.h>

#define TFC_WIDTH 16
#include "kernels/body/simd.h"

namespace tfcompress::kernels {
namespace {

constexpr int32_t kColumns = 4;
constexpr int32_t kTile = 4;

inline F MulAdd(F a, F b, F c) { return _mm512_fmadd_ps(a, b, c); }

using Quantized = int8_t;

struct ActivationValues {
  __m512i values;
};

inline ActivationValues LoadActivationValues(const int8_t* from) {
  return {_mm512_loadu_si512(from)};
}

// What the instruction multiplies by is unsigned: weights are biased.
struct Biased {
  __m512i values;
};

struct Int8 {
  using Weights = Biased;
  static constexpr int32_t kStep = 64;
  static constexpr int32_t kBits = 8;
  static constexpr int32_t kBias = 128;

  static Weights Load(const uint8_t* row, int32_t i, Full) {
    return Bias(_mm512_loadu_si512(row + i));
  }
  static Weights Load(const uint8_t* row, int32_t i, Part part) {
    return Bias(_mm512_maskz_loadu_epi8((1ull << part.count) - 1, row + i));
  }

 private:
  static Weights Bias(__m512i values) {
    return {_mm512_xor_si512(values, _mm512_set1_epi8(static_cast<char>(kBias)))};
  }
};

struct Int4 {
  using Weights = Biased;
  static constexpr int32_t kStep = 64;
  static constexpr int32_t kBits = 4;
  static constexpr int32_t kBias = 8;

  static Weights Load(const uint8_t* row, int32_t i, Full) {
    return Unpack(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(row + i / 2)));
  }
  static Weights Load(const uint8_t* row, int32_t i, Part part) {
    return Unpack(_mm256_maskz_loadu_epi8((1u << (part.count / 2)) - 1, row + i / 2));
  }

 private:
  static Weights Unpack(__m256i pairs) {
    const __m512i wide = _mm512_cvtepu8_epi16(pairs);
    const __m512i spread = _mm512_or_si512(wide, _mm512_slli_epi16(wide, 4));
    const __m512i nibbles = _mm512_and_si512(spread, _mm512_set1_epi8(15));
    return {_mm512_xor_si512(nibbles, _mm512_set1_epi8(kBias))};
  }
};

inline I Dot(I sums, const Biased& weights, const ActivationValues& x) {
  return Bits<I>(_mm512_dpbusd_epi32(Bits<__m512i>(sums), weights.values, x.values));
}

inline I BiasProducts(const ActivationValues& x) {
  return Dot(I{}, {_mm512_set1_epi8(Int4::kBias)}, x);
}

inline F BlockScales(const float* scales, Full) {
  const __m512 first = _mm512_set1_ps(scales[0]);
  return _mm512_mask_broadcastss_ps(first, 0xff00, _mm_load_ss(scales + 1));
}
inline F BlockScales(const float* scales, Part) { return _mm512_set1_ps(scales[0]); }

// A tree whose additions transpose as well.

template <typename T>
inline T AddLanes(T a, T b) {
  const __m512i x = Bits<__m512i>(a), y = Bits<__m512i>(b);
  return Bits<T>(_mm512_unpacklo_epi32(x, y)) + Bits<T>(_mm512_unpackhi_epi32(x, y));
}

template <typename T>
inline T AddPairs(T a, T b) {
  const __m512i x = Bits<__m512i>(a), y = Bits<__m512i>(b);
  return Bits<T>(_mm512_unpacklo_epi64(x, y)) + Bits<T>(_mm512_unpackhi_epi64(x, y));
}

template <typename T>
inline T AddQuarters(T a, T b) {
  const __m512i x = Bits<__m512i>(a), y = Bits<__m512i>(b);
  return Bits<T>(_mm512_shuffle_i32x4(x, y, 0x88)) + Bits<T>(_mm512_shuffle_i32x4(x, y, 0xdd));
}

template <typename Vector>
inline Vector AddColumns(const Vector (&v)[4]) {
  return AddPairs(AddLanes(v[0], v[1]), AddLanes(v[2], v[3]));
}

template <typename Vector, typename T>
inline void AddParts(const Vector (&parts)[4], T (&sums)[16]) {
  const Vector all = AddQuarters(AddQuarters(parts[0], parts[1]), AddQuarters(parts[2], parts[3]));
  memcpy(sums, &all, sizeof(all));
}

constexpr int32_t kPanelParts = 1;
using PanelSums = I;
constexpr int32_t kManyRows = 8, kManyPanels = 2;
constexpr int32_t kFewRows = 4, kFewPanels = 4;
constexpr int32_t kOnePanels = 4;

inline Biased PanelPart(const uint8_t* from, int32_t) { return Int8::Load(from, 0, Full{}); }

inline ActivationValues Repeat(const int8_t* from) {
  int32_t bits;
  memcpy(&bits, from, sizeof(bits));
  return {_mm512_set1_epi32(bits)};
}

inline void AddPanelParts(const I (&parts)[1], I (&totals)[1]) { totals[0] = parts[0]; }

}  // namespace
}  // namespace tfcompress::kernels

#include "kernels/body/table.h"

namespace tfcompress::kernels {

const Kernels kAvx512VnniKernels = kTable;

}  // namespace tfcompress::kernels
