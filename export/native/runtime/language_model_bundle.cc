#include "runtime/language_model_bundle.h"

#include <limits>
#include <map>
#include <string>

#include "common/error.h"
#include "runtime/manifest.h"

namespace tfcompress {

LanguageModelBundle OpenLanguageModelBundle(const Files& files, bool verify) {
  constexpr int64_t kMost = std::numeric_limits<int32_t>::max();
  constexpr int64_t kLongest = 1 << 20;
  const Manifest manifest(files, kLanguageModel);
  LanguageModelBundle bundle = {};
  const std::map<std::string, Bytes> opened = bundle.Open(manifest, files, verify);
  bundle.tokenizer = OptionalFile(manifest, opened, {"tokenizers", "text"});
  bundle.target_vocabulary = manifest.Integer({"vocabulary"}, 1, kMost);
  manifest.CheckChannels({"vocabulary"}, bundle.target_vocabulary, bundle.model);
  bundle.max_target_length = manifest.Integer({"limits", "max_length"}, 1, kLongest);
  bundle.ReadDecoder(manifest);
  for (const StateTensor& tensor : bundle.state) {
    if (tensor.per_sentence) manifest.Fail({"state"}, "of tensors per hypothesis only");
  }
  return bundle;
}

}  // namespace tfcompress
