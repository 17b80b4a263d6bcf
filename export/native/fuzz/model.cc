// `.tflite` files: what is known of one before LiteRT sees it, and of shapes that it is to run on.

#include <iterator>

#include "common/bytes.h"
#include "fuzz/fuzz.h"
#include "litert/verify.h"

using tfcompress::Bytes;
using tfcompress::litert::VerifiedModel;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  tfcompress::fuzz::Refusable([&] {
    const VerifiedModel model("model", Bytes::Copy(data, size));
    tfcompress::fuzz::Refusable([&] { model.Check("encode", {{"ids", {7}}}); });
    tfcompress::fuzz::Refusable([&] { model.Check("score", {{"ids", {7}}, {"labels", {7}}}); });
    tfcompress::fuzz::Refusable(
        [&] { model.Check("step", {{"ids", {2}}, {"mask", {1, 1, 1, 32}}}); });
  });
  return 0;
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size,
                                          unsigned seed) {
  return tfcompress::fuzz::MutateWords(data, size, max_size, seed);
}
