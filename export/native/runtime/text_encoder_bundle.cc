#include "runtime/text_encoder_bundle.h"

#include <limits>

#include "runtime/manifest.h"

namespace tfcompress {
namespace {

constexpr int64_t kWidest = 1 << 20;
constexpr size_t kMostOutputs = 100;

// What a head gives, whether for each token, and how many numbers at least.
struct Head {
  const char* task;
  const char* output;
  bool per_token;
  int32_t least;
};
constexpr Head kHeads[] = {{"classification", "logits", false, 2},
                           {"multi_label_classification", "logits", false, 1},
                           {"regression", "logits", false, 1},
                           {"token_classification", "logits", true, 2},
                           {"embedding", "embedding", false, 1}};

std::map<std::string, EncoderOutput> Outputs(const Manifest& manifest, const Bytes& model) {
  std::map<std::string, EncoderOutput> outputs;
  for (const auto& [name, entry] : manifest.Take<json::Object>({"outputs"}, "an object")) {
    const int32_t width = manifest.Integer({"outputs", name, "width"}, 1, kWidest);
    manifest.CheckChannels({"outputs", name, "width"}, width, model);
    outputs[name] = {width, manifest.Take<bool>({"outputs", name, "per_token"}, "true or false")};
  }
  if (outputs.empty() || outputs.size() > kMostOutputs) {
    manifest.Fail({"outputs"}, "from 1 to " + std::to_string(kMostOutputs) + " results");
  }
  return outputs;
}

void ReadHead(const Manifest& manifest, TextEncoderBundle* bundle) {
  if (manifest.Take({"head"}).IsNull()) return;
  const auto& task = manifest.Take<std::string>({"head", "task"}, "a text");
  for (const Head& head : kHeads) {
    const auto output = bundle->outputs.find(head.output);
    if (task != head.task || output == bundle->outputs.end()) continue;
    if (output->second.per_token != head.per_token || output->second.width < head.least) continue;
    bundle->head = task;
    if (output->first != "logits") return;
    bundle->labels = manifest.Names({"head", "labels"});
    const size_t count = bundle->labels.size();
    if (count == 0 || count == static_cast<size_t>(output->second.width)) return;
    manifest.Fail({"head", "labels"}, "as many as there are classes");
  }
  manifest.Fail({"head", "task"}, "a head that gives the model's results");
}

}  // namespace

TextEncoderBundle OpenTextEncoderBundle(const Files& files, bool verify) {
  constexpr int64_t kMost = std::numeric_limits<int32_t>::max();
  constexpr int64_t kLongest = 1 << 20;
  const Manifest manifest(files, kTextEncoder);
  TextEncoderBundle bundle = {};
  const std::map<std::string, Bytes> opened = bundle.Open(manifest, files, verify);
  bundle.outputs = Outputs(manifest, bundle.model);
  ReadHead(manifest, &bundle);
  bundle.max_length = manifest.Integer({"limits", "max_length"}, 1, kLongest);
  bundle.vocabulary = manifest.Integer({"vocabulary"}, 1, kMost);
  bundle.token_types = manifest.Integer({"token_types"}, 0, kMost);
  bundle.pad = manifest.Integer({"ids", "pad"}, 0, bundle.vocabulary - 1);
  const json::Value& settings = manifest.Take({"tokenizer"});
  if (!settings.IsNull()) {
    bundle.tokenizer = TextSettings::Read(settings);
    for (const std::string& name : bundle.tokenizer->FileNames()) {
      const auto file = opened.find(name);
      if (file == opened.end()) manifest.Fail({"files"}, "complete, with the tokenizer's " + name);
      bundle.tokenizer_files.push_back(file->second);
    }
  }
  return bundle;
}

}  // namespace tfcompress
