#include <immintrin.h>

#define TFC_WIDTH 8
#include "kernels/body/simd.h"

namespace tfcompress::kernels {
namespace {

constexpr int32_t kColumns = 4;
constexpr int32_t kTile = 2;

inline F MulAdd(F a, F b, F c) { return _mm256_fmadd_ps(a, b, c); }

// All is widened to 16 bits: the instruction that multiplies bytes saturates.
using Quantized = int16_t;

struct ActivationValues {
  __m256i values;
};

inline ActivationValues LoadActivationValues(const int16_t* from) {
  return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from))};
}

struct Int8 {
  using Weights = ActivationValues;
  static constexpr int32_t kStep = 16;
  static constexpr int32_t kBits = 8;
  static constexpr int32_t kBias = 0;

  static Weights Load(const uint8_t* row, int32_t i, Full) {
    return {_mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(row + i)))};
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
    const __m256i pairs =
        _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(row + i / 2)));
    const __m256i high =
        _mm256_or_si256(_mm256_slli_epi32(pairs, 12), _mm256_slli_epi32(pairs, 24));
    return {_mm256_srai_epi16(high, 12)};
  }
  static Weights Load(const uint8_t* row, int32_t i, Part part) {
    uint8_t bytes[kStep / 2] = {};
    memcpy(bytes, row + i / 2, static_cast<size_t>(part.count / 2));
    return Load(bytes, 0, Full{});
  }
};

inline I Dot(I sums, const ActivationValues& weights, const ActivationValues& x) {
  return sums + Bits<I>(_mm256_madd_epi16(weights.values, x.values));
}

inline I BiasProducts(const ActivationValues&) { return I{}; }

template <typename Lanes>
inline F BlockScales(const float* scales, Lanes) {
  return Set(*scales);
}

inline I AddNeighbours(I a, I b) {
  return Bits<I>(_mm256_hadd_epi32(Bits<__m256i>(a), Bits<__m256i>(b)));
}
inline F AddNeighbours(F a, F b) { return _mm256_hadd_ps(a, b); }

template <typename Vector>
inline Vector AddColumns(const Vector (&v)[4]) {
  return AddNeighbours(AddNeighbours(v[0], v[1]), AddNeighbours(v[2], v[3]));
}

template <typename Vector, typename T>
inline void AddParts(const Vector (&parts)[2], T (&sums)[8]) {
  const __m256i a = Bits<__m256i>(parts[0]), b = Bits<__m256i>(parts[1]);
  const Vector all = Bits<Vector>(_mm256_permute2x128_si256(a, b, 0x20)) +
                     Bits<Vector>(_mm256_permute2x128_si256(a, b, 0x31));
  memcpy(sums, &all, sizeof(all));
}

constexpr int32_t kPanelParts = 4;
using PanelSums = I;
constexpr int32_t kManyRows = 2, kManyPanels = 1;
constexpr int32_t kFewRows = 2, kFewPanels = 1;
constexpr int32_t kOnePanels = 2;

inline ActivationValues PanelPart(const uint8_t* from, int32_t part) {
  return Int8::Load(from, part * Int8::kStep, Full{});
}

inline ActivationValues Repeat(const int16_t* from) {
  int64_t bits;
  memcpy(&bits, from, sizeof(bits));
  return {_mm256_set1_epi64x(bits)};
}

// A part has two sums for each of four rows.
inline void AddPanelParts(const I (&parts)[4], I (&totals)[2]) {
  for (int32_t i = 0; i < 2; ++i) {
    const auto mixed = Bits<__m256i>(AddNeighbours(parts[2 * i], parts[2 * i + 1]));
    totals[i] = Bits<I>(_mm256_permute4x64_epi64(mixed, _MM_SHUFFLE(3, 1, 2, 0)));
  }
}

}  // namespace
}  // namespace tfcompress::kernels

#include "kernels/body/table.h"

namespace tfcompress::kernels {

const Kernels kAvx2Kernels = kTable;

}  // namespace tfcompress::kernels
