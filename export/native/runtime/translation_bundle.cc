#include "runtime/translation_bundle.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <set>
#include <string_view>
#include <utility>

#include "runtime/manifest.h"

namespace tfcompress {
namespace {

constexpr size_t kMostTensors = 1000;
constexpr size_t kMostAxes = 6;
constexpr int64_t kMostElements = 1 << 16;
// What steps take besides the state.
constexpr std::string_view kInputs[] = {"ids",       "position",       "mask",
                                        "shortlist", "shortlist_size", "width"};
const Manifest::Keys kState = {"state"};

[[noreturn]] void FailEntry(const Manifest& manifest) {
  manifest.Fail(kState, "a list of tensors, each with `name`, `shape`, `per` and `initial`");
}

const json::Value& Take(const Manifest& manifest, const json::Value& entry, const char* key) {
  const auto* object = entry.As<json::Object>();
  if (object == nullptr) FailEntry(manifest);
  const auto it = object->find(key);
  if (it == object->end()) FailEntry(manifest);
  return it->second;
}

template <typename T>
const T& TakeAs(const Manifest& manifest, const json::Value& entry, const char* key) {
  const T* value = Take(manifest, entry, key).As<T>();
  if (value == nullptr) FailEntry(manifest);
  return *value;
}

float TakeNumber(const Manifest& manifest, const json::Value& entry, const char* key) {
  const json::Value& value = Take(manifest, entry, key);
  if (const auto* whole = value.As<int64_t>()) return static_cast<float>(*whole);
  const auto* number = value.As<double>();
  if (number == nullptr) FailEntry(manifest);
  return static_cast<float>(*number);
}

// The shape, and the product of its sizes in `elements`.
std::vector<int32_t> Shape(const Manifest& manifest, const json::Array& sizes, int64_t* elements) {
  std::vector<int32_t> shape;
  *elements = 1;
  for (const json::Value& value : sizes) {
    const auto* size = value.As<int64_t>();
    if (value.IsNull()) {
      shape.push_back(StateTensor::kPositions);
      continue;
    }
    if (size == nullptr || *size < 1 || *size > kMostElements) FailEntry(manifest);
    shape.push_back(static_cast<int32_t>(*size));
    *elements = std::min(*elements * *size, int64_t{1} << 40);
  }
  const auto positions = std::count(shape.begin(), shape.end(), StateTensor::kPositions);
  if (shape.empty() || shape.size() > kMostAxes || positions > 1) FailEntry(manifest);
  return shape;
}

std::vector<StateTensor> State(const Manifest& manifest, const Bytes& model) {
  std::vector<StateTensor> state;
  std::set<std::string> names(std::begin(kInputs), std::end(kInputs));
  int64_t channels = 0;
  for (const json::Value& entry : manifest.Take<json::Array>(kState, "a list")) {
    int64_t elements = 0;
    const auto& per = TakeAs<std::string>(manifest, entry, "per");
    if (per != "sentence" && per != "hypothesis") FailEntry(manifest);
    StateTensor tensor{TakeAs<std::string>(manifest, entry, "name"),
                       Shape(manifest, TakeAs<json::Array>(manifest, entry, "shape"), &elements),
                       per == "sentence", TakeNumber(manifest, entry, "initial")};
    if (!names.insert(tensor.name).second) manifest.Fail(kState, "tensors of different names");
    channels += elements;
    state.push_back(std::move(tensor));
    if (state.size() > kMostTensors) manifest.Fail(kState, "a shorter list");
  }
  manifest.CheckChannels(kState, channels, model);
  return state;
}

}  // namespace

bool StateTensor::grows() const {
  return !per_sentence && std::count(shape.begin(), shape.end(), kPositions) > 0;
}

std::vector<int32_t> StateTensor::Sizes(int32_t rows, int32_t length) const {
  std::vector<int32_t> sizes = {rows};
  for (int32_t size : shape) sizes.push_back(size == kPositions ? length : size);
  return sizes;
}

TranslationBundle OpenTranslationBundle(const Files& files, bool verify) {
  constexpr int64_t kMost = std::numeric_limits<int32_t>::max();
  constexpr int64_t kLongest = 1 << 20;
  const Manifest manifest(files, kTranslation);
  TranslationBundle bundle = {};
  const std::map<std::string, Bytes> opened = bundle.Open(manifest, files, verify);

  const auto file = [&](Manifest::Keys keys) -> std::optional<Bytes> {
    const json::Value& value = manifest.Take(keys);
    if (value.IsNull()) return std::nullopt;
    const auto* name = value.As<std::string>();
    const auto it = name == nullptr ? opened.end() : opened.find(*name);
    if (it == opened.end()) manifest.Fail(keys, "one of the bundle's files");
    return it->second;
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
  bundle.state = State(manifest, bundle.model);
  if (!manifest.Take({"decoder", "block"}).IsNull()) {
    bundle.block = manifest.Integer({"decoder", "block"}, 1, bundle.target_vocabulary);
    if (bundle.target_vocabulary % *bundle.block != 0) {
      manifest.Fail({"decoder", "block"}, "a divisor of the vocabulary");
    }
  }
  return bundle;
}

}  // namespace tfcompress
