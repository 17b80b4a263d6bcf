// What levels of 256 bits have in common. Such a level gives Int8Weights, some int8 weights, with
// kInt8Bias added, which StoredInt8(values) makes; and Dot for these and for UnsignedWeights.
#ifndef TFCOMPRESS_KERNELS_BODY_AVX_H_
#define TFCOMPRESS_KERNELS_BODY_AVX_H_

#include <immintrin.h>

#include "kernels/body/simd.h"

namespace tfcompress::kernels {
namespace {

constexpr int32_t kColumns = 4;
constexpr int32_t kTile = 2;

inline F MulAdd(F a, F b, F c) { return _mm256_fmadd_ps(a, b, c); }

inline void StoreBytes(I x, int8_t* to) {
  const __m256i values = Bits<__m256i>(x);
  const __m128i words =
      _mm_packs_epi32(_mm256_castsi256_si128(values), _mm256_extracti128_si256(values, 1));
  _mm_storel_epi64(reinterpret_cast<__m128i*>(to), _mm_packs_epi16(words, words));
}

inline __m256i LoadBytes(const void* from) {
  return _mm256_loadu_si256(static_cast<const __m256i*>(from));
}

struct ActivationValues {
  __m256i values;
};

struct UnsignedWeights {
  __m256i values;
};

inline __m256i LowHalves(__m256i bytes) { return _mm256_and_si256(bytes, _mm256_set1_epi8(15)); }
inline __m256i HighHalves(__m256i bytes) { return LowHalves(_mm256_srli_epi16(bytes, 4)); }

inline void SplitPairs(const int8_t* from, int8_t* to) {
  const __m256i a = LoadBytes(from), b = LoadBytes(from + 32), low = _mm256_set1_epi16(255);
  const __m256i first = _mm256_packus_epi16(_mm256_and_si256(a, low), _mm256_and_si256(b, low));
  const __m256i second = _mm256_packus_epi16(_mm256_srli_epi16(a, 8), _mm256_srli_epi16(b, 8));
  const __m256i halves[] = {_mm256_permute4x64_epi64(first, _MM_SHUFFLE(3, 1, 2, 0)),
                            _mm256_permute4x64_epi64(second, _MM_SHUFFLE(3, 1, 2, 0))};
  memcpy(to, halves, sizeof(halves));
}

inline F BlockScales(const float* const (&scales)[4], int32_t blocks) {
  const auto row = [&](int32_t c) {
    return blocks == 2 ? _mm_castpd_ps(_mm_loadu_pd(reinterpret_cast<const double*>(scales[c])))
                       : _mm_load_ss(scales[c]);
  };
  const __m128 a = _mm_unpacklo_ps(row(0), row(1)), b = _mm_unpacklo_ps(row(2), row(3));
  return _mm256_set_m128(_mm_movehl_ps(b, a), _mm_movelh_ps(a, b));
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

inline ActivationValues Repeat(const int8_t* from) {
  int64_t bits;
  memcpy(&bits, from, sizeof(bits));
  return {_mm256_set1_epi64x(bits)};
}

// Each row has two sums.
inline void AddPanelParts(const I (&parts)[4], I (&totals)[2]) {
  for (int32_t i = 0; i < 2; ++i) totals[i] = AddNeighbours(parts[i], parts[i + 2]);
}

struct OneRow;
using ManyRows = OneRow;

}  // namespace
}  // namespace tfcompress::kernels

#endif  // TFCOMPRESS_KERNELS_BODY_AVX_H_
