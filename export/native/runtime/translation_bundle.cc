#include "runtime/translation_bundle.h"

#include <limits>
#include <map>
#include <string>

#include "runtime/manifest.h"

namespace tfcompress {

TranslationBundle OpenTranslationBundle(const Files& files, bool verify) {
  constexpr int64_t kMost = std::numeric_limits<int32_t>::max();
  constexpr int64_t kLongest = 1 << 20;
  const Manifest manifest(files, kTranslation);
  TranslationBundle bundle = {};
  const std::map<std::string, Bytes> opened = bundle.Open(manifest, files, verify);
  bundle.source_tokenizer = OptionalFile(manifest, opened, {"tokenizers", "source"});
  bundle.target_tokenizer = OptionalFile(manifest, opened, {"tokenizers", "target"});
  if (manifest.Has("shortlist")) {
    bundle.shortlist = OptionalFile(manifest, opened, {"shortlist"});
    bundle.shortlist_name = files.Name("shortlist.bin");
  }
  bundle.source_vocabulary = manifest.Integer({"vocabulary", "source"}, 1, kMost);
  bundle.target_vocabulary = manifest.Integer({"vocabulary", "target"}, 1, kMost);
  manifest.CheckChannels({"vocabulary", "target"}, bundle.target_vocabulary, bundle.model);
  bundle.max_source_length = manifest.Integer({"limits", "max_source_length"}, 1, kLongest);
  bundle.max_target_length = manifest.Integer({"limits", "max_target_length"}, 1, kLongest);
  bundle.ReadDecoder(manifest);
  return bundle;
}

}  // namespace tfcompress
