#ifndef TFCOMPRESS_COMMON_SHA256_H_
#define TFCOMPRESS_COMMON_SHA256_H_

#include <cstddef>
#include <string>

namespace tfcompress {

// The SHA-256 of some bytes in hexadecimal digits (FIPS 180-4), with the processor's instructions
// for it where it has them.
std::string Sha256(const void* data, size_t size);
// The same without them.
std::string PortableSha256(const void* data, size_t size);

}  // namespace tfcompress

#endif  // TFCOMPRESS_COMMON_SHA256_H_
