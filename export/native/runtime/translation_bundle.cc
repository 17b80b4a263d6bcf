#include "runtime/translation_bundle.h"

#include <limits>
#include <map>
#include <string>
#include <vector>

#include "runtime/manifest.h"

namespace tfcompress {
namespace {

std::vector<int32_t> TargetPrefix(const Manifest& manifest, const TranslationBundle& bundle) {
  const Manifest::Keys keys = {"ids", "target_prefix"};
  std::vector<int32_t> prefix;
  if (manifest.Find(keys) == nullptr) return prefix;
  for (const json::Value& value : manifest.Take<json::Array>(keys, "a list")) {
    const auto* id = value.As<int64_t>();
    if (id == nullptr || *id < 0 || *id >= bundle.target_vocabulary || *id == bundle.ids.pad ||
        *id == bundle.ids.bos || *id == bundle.ids.eos) {
      manifest.Fail(keys, "ids of target tokens");
    }
    prefix.push_back(static_cast<int32_t>(*id));
  }
  if (prefix.size() >= static_cast<size_t>(bundle.max_target_length)) {
    manifest.Fail(keys, "shorter than a target");
  }
  return prefix;
}

}  // namespace

TranslationBundle OpenTranslationBundle(const Files& files, bool verify) {
  constexpr int64_t kMost = std::numeric_limits<int32_t>::max();
  constexpr int64_t kLongest = 1 << 20;
  const Manifest manifest(files, kTranslation);
  TranslationBundle bundle = {};
  const std::map<std::string, Bytes> opened = bundle.Open(manifest, files, verify);
  bundle.source_tokenizer = OptionalFile(manifest, opened, {"tokenizers", "source"});
  bundle.target_tokenizer = OptionalFile(manifest, opened, {"tokenizers", "target"});
  if (manifest.Find({"shortlist"}) != nullptr) {
    bundle.shortlist = OptionalFile(manifest, opened, {"shortlist"});
    bundle.shortlist_name = files.Name("shortlist.bin");
  }
  bundle.source_vocabulary = manifest.Integer({"vocabulary", "source"}, 1, kMost);
  bundle.target_vocabulary = manifest.Integer({"vocabulary", "target"}, 1, kMost);
  manifest.CheckChannels({"vocabulary", "target"}, bundle.target_vocabulary, bundle.model);
  bundle.max_source_length = manifest.Integer({"limits", "max_source_length"}, 1, kLongest);
  bundle.max_target_length = manifest.Integer({"limits", "max_target_length"}, 1, kLongest);
  bundle.ReadDecoder(manifest);
  bundle.target_prefix = TargetPrefix(manifest, bundle);
  bundle.gives_alignments = manifest.Find({"decoder", "alignments"}) != nullptr;
  return bundle;
}

}  // namespace tfcompress
