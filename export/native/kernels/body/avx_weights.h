// The weights that levels of 256 bits read, see avx.h.
#ifndef TFCOMPRESS_KERNELS_BODY_AVX_WEIGHTS_H_
#define TFCOMPRESS_KERNELS_BODY_AVX_WEIGHTS_H_

#include "kernels/body/avx.h"

namespace tfcompress::kernels {
namespace {

struct Int8 {
  using Weights = Int8Weights;
  using Values = ActivationValues;
  static constexpr int32_t kStep = 32;
  static constexpr int32_t kBias = kInt8Bias;

  static Weights Load(const uint8_t* row, int32_t i, Full) {
    return StoredInt8(LoadBytes(row + i));
  }
  static Weights Load(const uint8_t* row, int32_t i, Part part) {
    uint8_t bytes[kStep] = {};
    memcpy(bytes, row + i, static_cast<size_t>(part.count));
    return Load(bytes, 0, Full{});
  }
  static Values LoadValues(const int8_t* x) { return {LoadBytes(x)}; }
};

struct Int4 {
  struct Weights {
    UnsignedWeights first;
    UnsignedWeights second;
  };
  struct Values {
    ActivationValues first;
    ActivationValues second;
  };
  static constexpr int32_t kStep = 64;
  static constexpr int32_t kBias = kInt4Bias;

  static Weights Load(const uint8_t* row, int32_t i, Full) {
    const __m256i biased = _mm256_xor_si256(
        LoadBytes(row + i / 2), _mm256_set1_epi8(static_cast<char>(kBias << 4 | kBias)));
    return {{LowHalves(biased)}, {HighHalves(biased)}};
  }
  static Weights Load(const uint8_t* row, int32_t i, Part part) {
    uint8_t bytes[kStep / 2] = {};
    memcpy(bytes, row + i / 2, static_cast<size_t>(part.count / 2));
    return Load(bytes, 0, Full{});
  }
  static Values LoadValues(const int8_t* x) { return {{LoadBytes(x)}, {LoadBytes(x + kStep / 2)}}; }
};

inline I BiasProducts(const Int4::Values& x) {
  const UnsignedWeights bias = {_mm256_set1_epi8(Int4::kBias)};
  return Dot(Dot(I{}, bias, x.first), bias, x.second);
}

struct Int8Panels {
  using Part = Int8Weights;
  static constexpr int32_t kBits = 8;
  static constexpr int32_t kBias = kInt8Bias;
  static Part Load(const uint8_t* from, int32_t part) {
    return StoredInt8(LoadBytes(from + 32 * part));
  }
};

struct Int4Panels {
  using Part = UnsignedWeights;
  static constexpr int32_t kBits = 4;
  static constexpr int32_t kBias = kInt4Bias;
  static Part Load(const uint8_t* from, int32_t part) {
    const __m256i pairs = LoadBytes(from + 32 * (part % 2));
    return {part < 2 ? LowHalves(pairs) : HighHalves(pairs)};
  }
};

}  // namespace
}  // namespace tfcompress::kernels

#endif  // TFCOMPRESS_KERNELS_BODY_AVX_WEIGHTS_H_
