#include "common/sha256_blocks.h"

namespace tfcompress::sha256 {
namespace {

uint32_t Rotate(uint32_t x, int bits) { return (x >> bits) | (x << (32 - bits)); }

void CompressBlock(const uint8_t* block, uint32_t* state) {
  uint32_t words[64];
  for (int i = 0; i < 16; ++i) {
    words[i] = static_cast<uint32_t>(block[4 * i]) << 24 |
               static_cast<uint32_t>(block[4 * i + 1]) << 16 |
               static_cast<uint32_t>(block[4 * i + 2]) << 8 | block[4 * i + 3];
  }
  for (int i = 16; i < 64; ++i) {
    const uint32_t early = words[i - 15], late = words[i - 2];
    words[i] = words[i - 16] + (Rotate(early, 7) ^ Rotate(early, 18) ^ (early >> 3)) +
               words[i - 7] + (Rotate(late, 17) ^ Rotate(late, 19) ^ (late >> 10));
  }
  uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
  uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
  const auto round = [&words](int i, uint32_t p, uint32_t q, uint32_t r, uint32_t* s, uint32_t t,
                              uint32_t u, uint32_t v, uint32_t* w) {
    *w += (Rotate(t, 6) ^ Rotate(t, 11) ^ Rotate(t, 25)) + ((t & u) ^ (~t & v)) + kRounds[i] +
          words[i];
    *s += *w;
    *w += (Rotate(p, 2) ^ Rotate(p, 13) ^ Rotate(p, 22)) + ((p & q) ^ (p & r) ^ (q & r));
  };
  // Each takes the next one's place in turn, so that none has to be moved.
  for (int i = 0; i < 64; i += 8) {
    round(i, a, b, c, &d, e, f, g, &h);
    round(i + 1, h, a, b, &c, d, e, f, &g);
    round(i + 2, g, h, a, &b, c, d, e, &f);
    round(i + 3, f, g, h, &a, b, c, d, &e);
    round(i + 4, e, f, g, &h, a, b, c, &d);
    round(i + 5, d, e, f, &g, h, a, b, &c);
    round(i + 6, c, d, e, &f, g, h, a, &b);
    round(i + 7, b, c, d, &e, f, g, h, &a);
  }
  const uint32_t added[8] = {a, b, c, d, e, f, g, h};
  for (int i = 0; i < 8; ++i) state[i] += added[i];
}

}  // namespace

void CompressPortable(const uint8_t* blocks, size_t count, uint32_t* state) {
  for (size_t i = 0; i < count; ++i) CompressBlock(blocks + i * kBlock, state);
}

}  // namespace tfcompress::sha256
