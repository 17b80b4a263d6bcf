#ifndef TFCOMPRESS_RUNTIME_LANGUAGE_MODEL_BUNDLE_H_
#define TFCOMPRESS_RUNTIME_LANGUAGE_MODEL_BUNDLE_H_

#include <optional>

#include "common/bytes.h"
#include "runtime/decoder_bundle.h"
#include "runtime/files.h"

namespace tfcompress {

// An opened bundle of a language model, whose target is the text.
struct LanguageModelBundle : DecoderBundle {
  std::optional<Bytes> tokenizer;
};

// Opens a bundle and checks that it is complete: with `verify`, the size and SHA-256 of every file.
// Throws Error (kNotFound, kBadBundle, kUnsupported).
LanguageModelBundle OpenLanguageModelBundle(const Files& files, bool verify);

}  // namespace tfcompress

#endif  // TFCOMPRESS_RUNTIME_LANGUAGE_MODEL_BUNDLE_H_
