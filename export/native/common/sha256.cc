#include "common/sha256.h"

#include <array>
#include <cstdint>
#include <cstring>

namespace tfcompress {
namespace {

constexpr size_t kBlock = 64;

// The first 32 bits of the fractional parts of the cube roots of the first 64 primes.
constexpr std::array<uint32_t, 64> kRounds = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

uint32_t Rotate(uint32_t x, int bits) { return (x >> bits) | (x << (32 - bits)); }

void Compress(const uint8_t* block, std::array<uint32_t, 8>* state) {
  uint32_t words[64];
  for (int i = 0; i < 16; ++i) {
    words[i] = static_cast<uint32_t>(block[4 * i]) << 24 |
               static_cast<uint32_t>(block[4 * i + 1]) << 16 |
               static_cast<uint32_t>(block[4 * i + 2]) << 8 | block[4 * i + 3];
  }
  for (int i = 16; i < 64; ++i) {
    const uint32_t a = words[i - 15], b = words[i - 2];
    words[i] = words[i - 16] + (Rotate(a, 7) ^ Rotate(a, 18) ^ (a >> 3)) + words[i - 7] +
               (Rotate(b, 17) ^ Rotate(b, 19) ^ (b >> 10));
  }
  auto [a, b, c, d, e, f, g, h] = *state;
  const auto round = [&words](int i, uint32_t p, uint32_t q, uint32_t r, uint32_t* s, uint32_t t,
                              uint32_t u, uint32_t v, uint32_t* w) {
    *w += (Rotate(t, 6) ^ Rotate(t, 11) ^ Rotate(t, 25)) + ((t & u) ^ (~t & v)) +
          kRounds[static_cast<size_t>(i)] + words[i];
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
  for (int i = 0; i < 8; ++i) (*state)[i] += added[i];
}

}  // namespace

std::string Sha256(const void* data, size_t size) {
  std::array<uint32_t, 8> state = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                   0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  const auto* bytes = static_cast<const uint8_t*>(data);
  const size_t whole = size - size % kBlock;
  for (size_t i = 0; i < whole; i += kBlock) Compress(bytes + i, &state);

  // The rest, a one, zeros, and the length in bits.
  uint8_t tail[2 * kBlock] = {};
  const size_t rest = size - whole;
  if (rest > 0) std::memcpy(tail, bytes + whole, rest);
  tail[rest] = 0x80;
  const size_t end = rest + 9 <= kBlock ? kBlock : 2 * kBlock;
  const uint64_t bits = 8 * static_cast<uint64_t>(size);
  for (int i = 0; i < 8; ++i) tail[end - 1 - i] = static_cast<uint8_t>(bits >> (8 * i));
  for (size_t i = 0; i < end; i += kBlock) Compress(tail + i, &state);

  std::string digits;
  for (uint32_t word : state) {
    for (int shift = 28; shift >= 0; shift -= 4) digits += "0123456789abcdef"[(word >> shift) & 15];
  }
  return digits;
}

}  // namespace tfcompress
