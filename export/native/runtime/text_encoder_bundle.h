#ifndef TFCOMPRESS_RUNTIME_TEXT_ENCODER_BUNDLE_H_
#define TFCOMPRESS_RUNTIME_TEXT_ENCODER_BUNDLE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/bytes.h"
#include "runtime/bundle_base.h"
#include "runtime/files.h"
#include "tokenizer/text_settings.h"

namespace tfcompress {

// A result of a text encoder.
struct EncoderOutput {
  int32_t width;
  bool per_token;  // Whether there is a row for each token, rather than one.
};

// An opened bundle of a text encoder: what the runtime needs of its manifest, and its files.
struct TextEncoderBundle : BundleBase {
  int32_t max_length;   // In tokens, begin and end marks included.
  int32_t vocabulary;   // Number of ids.
  int32_t token_types;  // 0 for none.
  int32_t pad;          // The id of padding.
  std::map<std::string, EncoderOutput> outputs;
  // "classification", "multi_label_classification", "regression", "token_classification",
  // "embedding" or "".
  std::string head;
  std::vector<std::string> labels;  // Names of the classes or scores; empty where there are none.
  std::optional<TextSettings> tokenizer;
  std::vector<Bytes> tokenizer_files;
};

// Opens the bundle of a text encoder and checks that it is complete: with `verify`, the size and
// SHA-256 of every file. Throws Error (kNotFound, kBadBundle, kUnsupported).
TextEncoderBundle OpenTextEncoderBundle(const Files& files, bool verify);

}  // namespace tfcompress

#endif  // TFCOMPRESS_RUNTIME_TEXT_ENCODER_BUNDLE_H_
