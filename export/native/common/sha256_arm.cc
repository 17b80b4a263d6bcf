#include "common/sha256_blocks.h"

#if defined(__aarch64__)
#include <arm_neon.h>
#if !defined(__APPLE__)
#include <sys/auxv.h>
#endif
#endif

namespace tfcompress::sha256 {

#if defined(__aarch64__)

#if defined(__clang__)
#define TFC_SHA2 __attribute__((target("sha2")))
#else
#define TFC_SHA2 __attribute__((target("+crypto")))
#endif

namespace {

TFC_SHA2 void CompressArm(const uint8_t* blocks, size_t count, uint32_t* state) {
  uint32x4_t abcd = vld1q_u32(state), efgh = vld1q_u32(state + 4);
  for (; count > 0; --count, blocks += kBlock) {
    const uint32x4_t abcd_before = abcd, efgh_before = efgh;
    uint32x4_t words[4];
    for (int i = 0; i < 16; ++i) {
      uint32x4_t& now = words[i % 4];
      if (i < 4) {
        now = vreinterpretq_u32_u8(vrev32q_u8(vld1q_u8(blocks + 16 * i)));
      } else {
        now = vsha256su1q_u32(vsha256su0q_u32(now, words[(i + 1) % 4]), words[(i + 2) % 4],
                              words[(i + 3) % 4]);
      }
      const uint32x4_t sums = vaddq_u32(now, vld1q_u32(kRounds + 4 * i));
      const uint32x4_t old = abcd;
      abcd = vsha256hq_u32(abcd, efgh, sums);
      efgh = vsha256h2q_u32(efgh, old, sums);
    }
    abcd = vaddq_u32(abcd, abcd_before);
    efgh = vaddq_u32(efgh, efgh_before);
  }
  vst1q_u32(state, abcd);
  vst1q_u32(state + 4, efgh);
}

bool HasInstructions() {
#if defined(__APPLE__)
  return true;
#else
  constexpr unsigned long kSha2 = 1UL << 6;  // HWCAP_SHA2
  return (getauxval(AT_HWCAP) & kSha2) != 0;
#endif
}

}  // namespace

Compress Arm() { return HasInstructions() ? CompressArm : nullptr; }

#else

Compress Arm() { return nullptr; }

#endif

}  // namespace tfcompress::sha256
