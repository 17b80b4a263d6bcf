#include "tools/ceilings.h"

#if defined(__x86_64__)
#include <immintrin.h>
#define TFC_TARGET(features) __attribute__((target(features)))
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace tfcompress {
namespace {

#if defined(__x86_64__) || defined(__aarch64__)

// Enough sums that none waits for the one before.
constexpr int kSums = 12;

// What no compiler knows beforehand.
volatile int32_t one = 1;

#endif

#if defined(__x86_64__)

constexpr char kNothing[64] = {};

TFC_TARGET("avx512f,avx512vnni") int32_t MultiplyIntegersAvx512(int64_t rounds) {
  const __m512i a = _mm512_set1_epi32(one), b = _mm512_set1_epi32(one);
  __m512i sums[kSums];
  for (__m512i& sum : sums) sum = a;
  for (int64_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 16
    for (int i = 0; i < kSums; ++i) sums[i] = _mm512_dpbusd_epi32(sums[i], a, b);
  }
  for (int i = 1; i < kSums; ++i) sums[0] = _mm512_xor_si512(sums[0], sums[i]);
  return _mm512_cvtsi512_si32(sums[0]);
}

TFC_TARGET("avx512f") float MultiplyFloatsAvx512(int64_t rounds) {
  const __m512 a = _mm512_set1_ps(static_cast<float>(one));
  __m512 sums[kSums];
  for (__m512& sum : sums) sum = a;
  for (int64_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 16
    for (int i = 0; i < kSums; ++i) sums[i] = _mm512_fmadd_ps(a, a, sums[i]);
  }
  for (int i = 1; i < kSums; ++i) sums[0] = _mm512_add_ps(sums[0], sums[i]);
  return _mm512_cvtss_f32(sums[0]);
}

TFC_TARGET("avx512f") int32_t ReadAvx512(const void* from, size_t size) {
  const auto* const bytes = static_cast<const char*>(from);
  __m512i sums[8];
  for (__m512i& sum : sums) sum = _mm512_loadu_si512(kNothing);
  for (size_t at = 0; at < size; at += kReadBytes) {
#pragma GCC unroll 16
    for (size_t i = 0; i < 8; ++i) {
      sums[i] = _mm512_or_si512(sums[i], _mm512_loadu_si512(bytes + at + i * sizeof(sums[i])));
    }
  }
  for (int i = 1; i < 8; ++i) sums[0] = _mm512_or_si512(sums[0], sums[i]);
  return _mm512_cvtsi512_si32(sums[0]);
}

// The pairs of products of an unsigned and a signed byte, added to pairs and to sums of 32 bits.
TFC_TARGET("avx2") int32_t MultiplyIntegersAvx2(int64_t rounds) {
  const __m256i a = _mm256_set1_epi32(one);
  __m256i b = a, sums[kSums];
  for (__m256i& sum : sums) sum = a;
  for (int64_t round = 0; round < rounds; ++round) {
    // So that the products are not those of the round before.
    b = _mm256_xor_si256(b, a);
#pragma GCC unroll 16
    for (int i = 0; i < kSums; ++i) {
      const __m256i pairs = _mm256_maddubs_epi16(_mm256_add_epi8(b, sums[i]), a);
      sums[i] = _mm256_add_epi32(sums[i], _mm256_madd_epi16(pairs, a));
    }
  }
  for (int i = 1; i < kSums; ++i) sums[0] = _mm256_xor_si256(sums[0], sums[i]);
  return _mm256_cvtsi256_si32(sums[0]);
}

TFC_TARGET("avx2,avxvnni") int32_t MultiplyIntegersAvxVnni(int64_t rounds) {
  const __m256i a = _mm256_set1_epi32(one), b = _mm256_set1_epi32(one);
  __m256i sums[kSums];
  for (__m256i& sum : sums) sum = a;
  for (int64_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 16
    for (int i = 0; i < kSums; ++i) sums[i] = _mm256_dpbusd_avx_epi32(sums[i], a, b);
  }
  for (int i = 1; i < kSums; ++i) sums[0] = _mm256_xor_si256(sums[0], sums[i]);
  return _mm256_cvtsi256_si32(sums[0]);
}

TFC_TARGET("avx2,fma") float MultiplyFloatsAvx2(int64_t rounds) {
  const __m256 a = _mm256_set1_ps(static_cast<float>(one));
  __m256 sums[kSums];
  for (__m256& sum : sums) sum = a;
  for (int64_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 16
    for (int i = 0; i < kSums; ++i) sums[i] = _mm256_fmadd_ps(a, a, sums[i]);
  }
  for (int i = 1; i < kSums; ++i) sums[0] = _mm256_add_ps(sums[0], sums[i]);
  return _mm256_cvtss_f32(sums[0]);
}

TFC_TARGET("avx2") int32_t ReadAvx2(const void* from, size_t size) {
  const auto* const bytes = static_cast<const char*>(from);
  __m256i sums[8];
  for (__m256i& sum : sums) sum = _mm256_setzero_si256();
  for (size_t at = 0; at < size; at += kReadBytes) {
#pragma GCC unroll 16
    for (size_t i = 0; i < kReadBytes / sizeof(__m256i); ++i) {
      const void* const next = bytes + at + i * sizeof(__m256i);
      sums[i % 8] =
          _mm256_or_si256(sums[i % 8], _mm256_loadu_si256(static_cast<const __m256i*>(next)));
    }
  }
  for (int i = 1; i < 8; ++i) sums[0] = _mm256_or_si256(sums[0], sums[i]);
  return _mm256_cvtsi256_si32(sums[0]);
}

constexpr Ceilings kAvx2 = {MultiplyIntegersAvx2, kSums * 32, MultiplyFloatsAvx2, kSums * 8,
                            ReadAvx2};
constexpr Ceilings kAvxVnni = {MultiplyIntegersAvxVnni, kSums * 32, MultiplyFloatsAvx2, kSums * 8,
                               ReadAvx2};
constexpr Ceilings kAvx512 = {MultiplyIntegersAvx512, kSums * 64, MultiplyFloatsAvx512, kSums * 16,
                              ReadAvx512};

#elif defined(__aarch64__)

int32_t MultiplyIntegersDot(int64_t rounds) {
  const int8x16_t a = vreinterpretq_s8_s32(vdupq_n_s32(one));
  int32x4_t sums[kSums];
  for (int32x4_t& sum : sums) sum = vdupq_n_s32(one);
  for (int64_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 16
    for (int i = 0; i < kSums; ++i) sums[i] = vdotq_s32(sums[i], a, a);
  }
  for (int i = 1; i < kSums; ++i) sums[0] = veorq_s32(sums[0], sums[i]);
  return vgetq_lane_s32(sums[0], 0);
}

int32_t MultiplyIntegersI8mm(int64_t rounds) {
  const int8x16_t a = vreinterpretq_s8_s32(vdupq_n_s32(one));
  int32x4_t sums[kSums];
  for (int32x4_t& sum : sums) sum = vdupq_n_s32(one);
  for (int64_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 16
    for (int i = 0; i < kSums; ++i) sums[i] = vmmlaq_s32(sums[i], a, a);
  }
  for (int i = 1; i < kSums; ++i) sums[0] = veorq_s32(sums[0], sums[i]);
  return vgetq_lane_s32(sums[0], 0);
}

float MultiplyFloatsNeon(int64_t rounds) {
  const float32x4_t a = vdupq_n_f32(static_cast<float>(one));
  float32x4_t sums[kSums];
  for (float32x4_t& sum : sums) sum = a;
  for (int64_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 16
    for (int i = 0; i < kSums; ++i) sums[i] = vfmaq_f32(sums[i], a, a);
  }
  for (int i = 1; i < kSums; ++i) sums[0] = vaddq_f32(sums[0], sums[i]);
  return vgetq_lane_f32(sums[0], 0);
}

int32_t ReadNeon(const void* from, size_t size) {
  const auto* const bytes = static_cast<const int32_t*>(from);
  int32x4_t sums[8];
  for (int32x4_t& sum : sums) sum = vdupq_n_s32(0);
  for (size_t at = 0; at < size; at += kReadBytes) {
#pragma GCC unroll 32
    for (size_t i = 0; i < kReadBytes / sizeof(int32x4_t); ++i) {
      sums[i % 8] = vorrq_s32(sums[i % 8], vld1q_s32(bytes + at / 4 + 4 * i));
    }
  }
  for (int i = 1; i < 8; ++i) sums[0] = vorrq_s32(sums[0], sums[i]);
  return vgetq_lane_s32(sums[0], 0);
}

constexpr Ceilings kI8mm = {MultiplyIntegersI8mm, kSums * 32, MultiplyFloatsNeon, kSums * 4,
                            ReadNeon};
constexpr Ceilings kDot = {MultiplyIntegersDot, kSums * 16, MultiplyFloatsNeon, kSums * 4,
                           ReadNeon};

#endif

}  // namespace

const Ceilings* CeilingsOf(kernels::Level level) {
  switch (level) {
#if defined(__x86_64__)
    case kernels::Level::kAvx2:
      return &kAvx2;
    case kernels::Level::kAvxVnni:
      return &kAvxVnni;
    case kernels::Level::kAvx512Vnni:
      return &kAvx512;
#elif defined(__aarch64__)
    case kernels::Level::kNeonDot:
      return &kDot;
    case kernels::Level::kNeonI8mm:
      return &kI8mm;
#endif
    default:
      return nullptr;
  }
}

}  // namespace tfcompress
