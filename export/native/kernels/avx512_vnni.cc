#include <immintrin.h>

#define TFC_WIDTH 16
#include "kernels/body/simd.h"

namespace tfcompress::kernels {
namespace {

constexpr int32_t kColumns = 4;
constexpr int32_t kTile = 4;

inline F MulAdd(F a, F b, F c) { return _mm512_fmadd_ps(a, b, c); }

inline void StoreBytes(I x, int8_t* to) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm512_cvtepi32_epi8(Bits<__m512i>(x)));
}

struct ActivationValues {
  __m512i values;
};

inline ActivationValues LoadActivations(const int8_t* from) { return {_mm512_loadu_si512(from)}; }

// What the instruction multiplies by is unsigned: weights are biased.
struct Biased {
  __m512i values;
};

inline I Dot(I sums, const Biased& weights, const ActivationValues& x) {
  return Bits<I>(_mm512_dpbusd_epi32(Bits<__m512i>(sums), weights.values, x.values));
}

struct Int8 {
  using Weights = Biased;
  using Values = ActivationValues;
  static constexpr int32_t kStep = 64;
  static constexpr int32_t kBias = 128;

  static Weights Load(const uint8_t* row, int32_t i, Full) {
    return Bias(_mm512_loadu_si512(row + i));
  }
  static Weights Load(const uint8_t* row, int32_t i, Part part) {
    return Bias(_mm512_maskz_loadu_epi8((1ull << part.count) - 1, row + i));
  }
  static Values LoadValues(const int8_t* x) { return LoadActivations(x); }

 private:
  static Weights Bias(__m512i values) {
    return {_mm512_xor_si512(values, _mm512_set1_epi8(static_cast<char>(kBias)))};
  }
};

inline __m512i LowHalves(__m512i bytes) { return _mm512_and_si512(bytes, _mm512_set1_epi8(15)); }
inline __m512i HighHalves(__m512i bytes) { return LowHalves(_mm512_srli_epi16(bytes, 4)); }

struct Int4 {
  struct Weights {
    Biased first;
    Biased second;
  };
  struct Values {
    ActivationValues first;
    ActivationValues second;
  };
  static constexpr int32_t kStep = 128;
  static constexpr int32_t kBias = kInt4Bias;

  static Weights Load(const uint8_t* row, int32_t i, Full) {
    return Unpack(_mm512_loadu_si512(row + i / 2));
  }
  static Weights Load(const uint8_t* row, int32_t i, Part part) {
    return Unpack(_mm512_maskz_loadu_epi8((1ull << part.count / 2) - 1, row + i / 2));
  }
  static Values LoadValues(const int8_t* x) {
    return {LoadActivations(x), LoadActivations(x + kStep / 2)};
  }

 private:
  static Weights Unpack(__m512i pairs) {
    return {{Bias(pairs)}, {Bias(_mm512_srli_epi16(pairs, 4))}};
  }
  // Of the low halves.
  static __m512i Bias(__m512i pairs) {
    constexpr int kXorThenAnd = 0x28;
    return _mm512_ternarylogic_epi32(pairs, _mm512_set1_epi8(kBias), _mm512_set1_epi8(15),
                                     kXorThenAnd);
  }
};

inline I Dot(I sums, const Int4::Weights& weights, const Int4::Values& x) {
  return Dot(Dot(sums, weights.first, x.first), weights.second, x.second);
}

inline I BiasProducts(const Int4::Values& x) {
  const Biased bias = {_mm512_set1_epi8(Int4::kBias)};
  return Dot(I{}, Int4::Weights{bias, bias}, x);
}

inline void SplitPairs(const int8_t* from, int8_t* to) {
  const __m512i a = _mm512_loadu_si512(from), b = _mm512_loadu_si512(from + 64);
  const __m512i low = _mm512_set1_epi16(255);
  const __m512i order = _mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7);
  const __m512i first = _mm512_packus_epi16(_mm512_and_si512(a, low), _mm512_and_si512(b, low));
  const __m512i second = _mm512_packus_epi16(_mm512_srli_epi16(a, 8), _mm512_srli_epi16(b, 8));
  _mm512_storeu_si512(to, _mm512_permutexvar_epi64(order, first));
  _mm512_storeu_si512(to + 64, _mm512_permutexvar_epi64(order, second));
}

inline F BlockScales(const float* const (&scales)[4], int32_t blocks) {
  const auto mask = static_cast<__mmask8>((1 << blocks) - 1);
  const auto row = [&](int32_t c) {
    return blocks == 4 ? _mm_loadu_ps(scales[c]) : _mm_maskz_loadu_ps(mask, scales[c]);
  };
  __m512 all = _mm512_castps128_ps512(row(0));
  all = _mm512_insertf32x4(all, row(1), 1);
  all = _mm512_insertf32x4(all, row(2), 2);
  all = _mm512_insertf32x4(all, row(3), 3);
  return _mm512_permutexvar_ps(
      _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15), all);
}

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

constexpr int32_t kPanelParts = 2;
using PanelSums = I;
constexpr int32_t kManyRows = 8, kManyPanels = 1;
constexpr int32_t kFewRows = 4, kFewPanels = 2;
constexpr int32_t kOnePanels = 1;

struct Int8Panels {
  using Part = Biased;
  static constexpr int32_t kBits = 8;
  static constexpr int32_t kBias = Int8::kBias;
  static Part Load(const uint8_t* from, int32_t part) {
    return Int8::Load(from, 64 * part, Full{});
  }
};

struct Int4Panels {
  using Part = Biased;
  static constexpr int32_t kBits = 4;
  static constexpr int32_t kBias = kInt4Bias;
  static Part Load(const uint8_t* from, int32_t part) {
    const __m512i pairs = _mm512_loadu_si512(from);
    return {part == 0 ? LowHalves(pairs) : HighHalves(pairs)};
  }
};

inline ActivationValues Repeat(const int8_t* from) {
  int64_t bits;
  memcpy(&bits, from, sizeof(bits));
  return {_mm512_set1_epi64(bits)};
}

// Each row has two sums.
inline void AddPanelParts(const I (&parts)[2], I (&totals)[1]) {
  const auto a = Bits<__m512>(parts[0]), b = Bits<__m512>(parts[1]);
  totals[0] = Bits<I>(_mm512_shuffle_ps(a, b, 0x88)) + Bits<I>(_mm512_shuffle_ps(a, b, 0xdd));
}

struct OneRow;
using ManyRows = OneRow;

}  // namespace
}  // namespace tfcompress::kernels

#include "kernels/body/table.h"

namespace tfcompress::kernels {

const Kernels kAvx512VnniKernels = kTable;

}  // namespace tfcompress::kernels
