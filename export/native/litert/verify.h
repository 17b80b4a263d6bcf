#ifndef TFCOMPRESS_LITERT_VERIFY_H_
#define TFCOMPRESS_LITERT_VERIFY_H_

#include <string>

#include "common/bytes.h"

namespace tfcompress::litert {

// Throws Error (kBadBundle) unless a `.tflite` file is whole: all that it refers to lies within it
// and exists, constants are as large as their shapes, and no operator reads what has no value.
// LiteRT checks part of that, and crashes on the rest. `name` is for messages.
void VerifyModel(const std::string& name, const Bytes& bytes);

}  // namespace tfcompress::litert

#endif  // TFCOMPRESS_LITERT_VERIFY_H_
