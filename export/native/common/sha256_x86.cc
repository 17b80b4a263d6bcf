#include "common/sha256_blocks.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

namespace tfcompress::sha256 {

#if defined(__x86_64__)

namespace {

// Each pair of rounds takes two of the four words that are added up in `words`.
__attribute__((target("sha,sse4.1"))) void CompressX86(const uint8_t* blocks, size_t count,
                                                       uint32_t* state) {
  const __m128i bytes_swapped = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
  auto* const halves = reinterpret_cast<__m128i*>(state);
  // The instructions want a, b, e, f and c, d, g, h, the first one highest.
  const __m128i low = _mm_shuffle_epi32(_mm_loadu_si128(halves), 0xb1);
  const __m128i high = _mm_shuffle_epi32(_mm_loadu_si128(halves + 1), 0x1b);
  __m128i abef = _mm_alignr_epi8(low, high, 8);
  __m128i cdgh = _mm_blend_epi16(high, low, 0xf0);
  for (; count > 0; --count, blocks += kBlock) {
    const __m128i abef_before = abef, cdgh_before = cdgh;
    __m128i words[4];
    for (int i = 0; i < 16; ++i) {
      __m128i& now = words[i % 4];
      if (i < 4) {
        const auto* const source = reinterpret_cast<const __m128i*>(blocks) + i;
        now = _mm_shuffle_epi8(_mm_loadu_si128(source), bytes_swapped);
      } else {
        const __m128i next = words[(i + 1) % 4], before = words[(i + 3) % 4];
        const __m128i middle = _mm_alignr_epi8(before, words[(i + 2) % 4], 4);
        now = _mm_sha256msg2_epu32(_mm_add_epi32(_mm_sha256msg1_epu32(now, next), middle), before);
      }
      const auto* const rounds = reinterpret_cast<const __m128i*>(kRounds) + i;
      const __m128i sums = _mm_add_epi32(now, _mm_load_si128(rounds));
      cdgh = _mm_sha256rnds2_epu32(cdgh, abef, sums);
      abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(sums, 0x0e));
    }
    abef = _mm_add_epi32(abef, abef_before);
    cdgh = _mm_add_epi32(cdgh, cdgh_before);
  }
  const __m128i feba = _mm_shuffle_epi32(abef, 0x1b), dchg = _mm_shuffle_epi32(cdgh, 0xb1);
  _mm_storeu_si128(halves, _mm_blend_epi16(feba, dchg, 0xf0));
  _mm_storeu_si128(halves + 1, _mm_alignr_epi8(dchg, feba, 8));
}

bool HasInstructions() {
  constexpr unsigned kSsse3 = 1U << 9, kSse41 = 1U << 19, kSha = 1U << 29;
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c & kSsse3) == 0 || (c & kSse41) == 0) return false;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b & kSha) != 0;
}

}  // namespace

Compress X86() { return HasInstructions() ? CompressX86 : nullptr; }

#else

Compress X86() { return nullptr; }

#endif

}  // namespace tfcompress::sha256
