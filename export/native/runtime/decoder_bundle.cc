#include "runtime/decoder_bundle.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <string_view>
#include <utility>

namespace tfcompress {
namespace {

constexpr size_t kMostTensors = 1000;
constexpr size_t kMostAxes = 6;
constexpr int64_t kMostElements = 1 << 16;
// What steps take besides the state.
constexpr std::string_view kInputs[] = {"ids",       "position",       "mask", "memory_lengths",
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

void DecoderBundle::ReadDecoder(const Manifest& manifest) {
  const auto special = [&](std::string_view key) {
    return manifest.Integer({"ids", key}, 0, target_vocabulary - 1);
  };
  ids = {special("pad"), special("bos"), special("eos")};
  state = State(manifest, model);
  is_ragged = manifest.Take<bool>({"decoder", "ragged"}, "true or false");
  if (manifest.Take({"decoder", "block"}).IsNull()) return;
  block = manifest.Integer({"decoder", "block"}, 1, target_vocabulary);
  if (target_vocabulary % *block != 0) {
    manifest.Fail({"decoder", "block"}, "a divisor of the vocabulary");
  }
}

std::optional<Bytes> OptionalFile(const Manifest& manifest,
                                  const std::map<std::string, Bytes>& opened, Manifest::Keys keys) {
  const json::Value& value = manifest.Take(keys);
  if (value.IsNull()) return std::nullopt;
  const auto* name = value.As<std::string>();
  const auto file = name == nullptr ? opened.end() : opened.find(*name);
  if (file == opened.end()) manifest.Fail(keys, "one of the bundle's files");
  return file->second;
}

}  // namespace tfcompress
