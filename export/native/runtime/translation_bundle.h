#ifndef TFCOMPRESS_RUNTIME_TRANSLATION_BUNDLE_H_
#define TFCOMPRESS_RUNTIME_TRANSLATION_BUNDLE_H_

#include <cstdint>
#include <optional>

#include "common/bytes.h"
#include "runtime/decoder_bundle.h"
#include "runtime/files.h"

namespace tfcompress {

// An opened bundle of a translation model: what the runtime needs of its manifest, and its files.
struct TranslationBundle : DecoderBundle {
  int32_t max_source_length;  // In tokens, the end mark included.
  std::optional<Bytes> source_tokenizer;
  std::optional<Bytes> target_tokenizer;
};

// Opens a bundle and checks that it is complete: with `verify`, the size and SHA-256 of every file.
// Throws Error (kNotFound, kBadBundle, kUnsupported).
TranslationBundle OpenTranslationBundle(const Files& files, bool verify);

}  // namespace tfcompress

#endif  // TFCOMPRESS_RUNTIME_TRANSLATION_BUNDLE_H_
