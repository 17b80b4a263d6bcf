#include "common/sha256.h"

#include <cstdint>
#include <cstring>

#include "common/sha256_blocks.h"

namespace tfcompress {
namespace {

using sha256::kBlock;

sha256::Compress Best() {
  for (const sha256::Compress compress : {sha256::X86(), sha256::Arm()}) {
    if (compress != nullptr) return compress;
  }
  return sha256::CompressPortable;
}

std::string DigestOf(const void* data, size_t size, sha256::Compress compress) {
  uint32_t state[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                       0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  const auto* bytes = static_cast<const uint8_t*>(data);
  const size_t whole = size - size % kBlock;
  compress(bytes, whole / kBlock, state);

  // The rest, a one, zeros, and the length in bits.
  uint8_t tail[2 * kBlock] = {};
  const size_t rest = size - whole;
  if (rest > 0) std::memcpy(tail, bytes + whole, rest);
  tail[rest] = 0x80;
  const size_t end = rest + 9 <= kBlock ? kBlock : 2 * kBlock;
  const uint64_t bits = 8 * static_cast<uint64_t>(size);
  for (int i = 0; i < 8; ++i) tail[end - 1 - i] = static_cast<uint8_t>(bits >> (8 * i));
  compress(tail, end / kBlock, state);

  std::string digits;
  for (uint32_t word : state) {
    for (int shift = 28; shift >= 0; shift -= 4) digits += "0123456789abcdef"[(word >> shift) & 15];
  }
  return digits;
}

}  // namespace

std::string Sha256(const void* data, size_t size) {
  static const sha256::Compress best = Best();
  return DigestOf(data, size, best);
}

std::string PortableSha256(const void* data, size_t size) {
  return DigestOf(data, size, sha256::CompressPortable);
}

}  // namespace tfcompress
