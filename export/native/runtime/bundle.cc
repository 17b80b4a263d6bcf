#include "runtime/bundle.h"

#include <limits>
#include <string_view>

#include "runtime/manifest.h"

namespace tfcompress {
namespace {

constexpr size_t kMostTensors = 1000;
constexpr int64_t kMostElements = 1 << 16;

int32_t Extent(const Manifest& manifest, Manifest::Keys keys, const json::Value& value) {
  const auto* extent = value.As<int64_t>();
  if (extent == nullptr || *extent < 1 || *extent > kMostElements) {
    manifest.Fail(keys, "pairs of numbers from 1 to " + std::to_string(kMostElements));
  }
  return static_cast<int32_t>(*extent);
}

std::vector<HeadShape> Shapes(const Manifest& manifest, Manifest::Keys keys, const Bytes& model) {
  std::vector<HeadShape> shapes;
  int64_t channels = 0;
  for (const json::Value& element : manifest.Take<json::Array>(keys, "a list")) {
    const auto* pair = element.As<json::Array>();
    if (pair == nullptr || pair->size() != 2) manifest.Fail(keys, "a list of pairs");
    shapes.push_back({Extent(manifest, keys, (*pair)[0]), Extent(manifest, keys, (*pair)[1])});
    channels += int64_t{shapes.back().heads} * shapes.back().width;
  }
  manifest.CheckChannels(keys, channels, model);
  if (shapes.size() > kMostTensors) manifest.Fail(keys, "shorter");
  return shapes;
}

}  // namespace

Bundle OpenBundle(const Files& files, bool verify) {
  constexpr int64_t kMost = std::numeric_limits<int32_t>::max();
  constexpr int64_t kLongest = 1 << 20;
  const Manifest manifest(files, kSeq2Seq);
  Bundle bundle = {};
  bundle.name = files.Name(kModelFile);
  bundle.size = manifest.size();
  const std::map<std::string, Bytes> opened = manifest.OpenFiles(files, verify);
  for (const auto& [name, bytes] : opened) bundle.size += bytes.size();
  bundle.model = opened.at(kModelFile);

  const auto file = [&](Manifest::Keys keys) -> std::optional<Bytes> {
    const json::Value& value = manifest.Take(keys);
    if (value.IsNull()) return std::nullopt;
    const auto* name = value.As<std::string>();
    const auto found = name == nullptr ? opened.end() : opened.find(*name);
    if (found == opened.end()) manifest.Fail(keys, "one of the bundle's files");
    return found->second;
  };
  bundle.source_tokenizer = file({"tokenizers", "source"});
  bundle.target_tokenizer = file({"tokenizers", "target"});
  if (manifest.Has("shortlist")) {
    bundle.shortlist = file({"shortlist"});
    bundle.shortlist_name = files.Name("shortlist.bin");
  }
  bundle.source_vocabulary = manifest.Integer({"vocabulary", "source"}, 1, kMost);
  bundle.target_vocabulary = manifest.Integer({"vocabulary", "target"}, 1, kMost);
  manifest.CheckChannels({"vocabulary", "target"}, bundle.target_vocabulary, bundle.model);
  const auto special = [&](std::string_view name) {
    return manifest.Integer({"ids", name}, 0, bundle.target_vocabulary - 1);
  };
  bundle.ids = {special("pad"), special("bos"), special("eos")};
  bundle.max_source_length = manifest.Integer({"limits", "max_source_length"}, 1, kLongest);
  bundle.max_target_length = manifest.Integer({"limits", "max_target_length"}, 1, kLongest);
  bundle.caches = Shapes(manifest, {"decoder", "caches"}, bundle.model);
  bundle.histories = Shapes(manifest, {"decoder", "histories"}, bundle.model);
  bundle.memories = Shapes(manifest, {"decoder", "memories"}, bundle.model);
  if (!manifest.Take({"decoder", "block"}).IsNull()) {
    bundle.block = manifest.Integer({"decoder", "block"}, 1, bundle.target_vocabulary);
    if (bundle.target_vocabulary % *bundle.block != 0) {
      manifest.Fail({"decoder", "block"}, "a divisor of the vocabulary");
    }
  }
  bundle.custom_ops = manifest.CustomOps();
  return bundle;
}

}  // namespace tfcompress
