#include "runtime/bundle.h"

#include <initializer_list>
#include <limits>
#include <string_view>

#include "common/error.h"
#include "common/json.h"
#include "common/sha256.h"

namespace tfcompress {
namespace {

constexpr int64_t kFormat = 1;
constexpr char kManifest[] = "manifest.json";
constexpr char kModel[] = "model.tflite";
constexpr char kAgain[] = "; export or copy the bundle again";

using Code = Error::Code;

// The values of a manifest, each checked as it is taken.
class Manifest {
 public:
  Manifest(std::string name, json::Value value) : name_(std::move(name)), value_(std::move(value)) {
    if (value_.As<json::Object>() == nullptr) {
      throw Error(Code::kBadBundle, name_ + ": holds no JSON object" + kAgain);
    }
  }

  using Keys = std::initializer_list<std::string_view>;

  const json::Value& Take(Keys keys) const {
    const json::Value* value = &value_;
    for (std::string_view key : keys) {
      const auto* object = value->As<json::Object>();
      const auto found =
          object == nullptr ? json::Object::const_iterator() : object->find(std::string(key));
      if (object == nullptr || found == object->end()) {
        throw Error(Code::kBadBundle, name_ + ": `" + Joined(keys) + "` is missing" + kAgain);
      }
      value = &found->second;
    }
    return *value;
  }

  bool Has(const std::string& key) const { return value_.As<json::Object>()->count(key) > 0; }

  template <typename T>
  const T& Take(Keys keys, const char* kind) const {
    const T* found = Take(keys).As<T>();
    if (found == nullptr) Fail(keys, kind);
    return *found;
  }

  int32_t Integer(Keys keys, int64_t least, int64_t most) const {
    const auto& value = Take<int64_t>(keys, "a whole number");
    if (value < least || value > most) {
      Fail(keys, "from " + std::to_string(least) + " to " + std::to_string(most));
    }
    return static_cast<int32_t>(value);
  }

  std::vector<HeadShape> Shapes(Keys keys) const {
    std::vector<HeadShape> shapes;
    for (const json::Value& element : Take<json::Array>(keys, "a list")) {
      const auto* pair = element.As<json::Array>();
      if (pair == nullptr || pair->size() != 2) Fail(keys, "a list of pairs");
      shapes.push_back({Extent(keys, (*pair)[0]), Extent(keys, (*pair)[1])});
    }
    if (shapes.size() > kMostTensors) Fail(keys, "shorter");
    return shapes;
  }

  std::vector<std::string> Names(Keys keys) const {
    std::vector<std::string> names;
    for (const json::Value& element : Take<json::Array>(keys, "a list")) {
      const auto* name = element.As<std::string>();
      if (name == nullptr) Fail(keys, "a list of names");
      names.push_back(*name);
    }
    return names;
  }

  [[noreturn]] void Fail(Keys keys, const std::string& what) const {
    throw Error(Code::kBadBundle, name_ + ": `" + Joined(keys) + "` must be " + what + kAgain);
  }

  const std::string& name() const { return name_; }

 private:
  static constexpr size_t kMostTensors = 1000;
  static constexpr int64_t kMostElements = 1 << 16;

  int32_t Extent(Keys keys, const json::Value& value) const {
    const auto* extent = value.As<int64_t>();
    if (extent == nullptr || *extent < 1 || *extent > kMostElements) {
      Fail(keys, "pairs of numbers from 1 to " + std::to_string(kMostElements));
    }
    return static_cast<int32_t>(*extent);
  }

  static std::string Joined(Keys keys) {
    std::string joined;
    for (std::string_view key : keys) joined.append(joined.empty() ? "" : ".").append(key);
    return joined;
  }

  std::string name_;
  json::Value value_;
};

Manifest ReadManifest(const Files& files, const Bytes& bytes) {
  const std::string name = files.Name(kManifest);
  const auto parsed = [&] {
    try {
      return json::Parse(bytes.text());
    } catch (const Error& error) {
      throw Error(Code::kBadBundle, name + ": " + error.what() + kAgain);
    }
  };
  Manifest manifest(name, parsed());
  const auto& kind = manifest.Take<std::string>({"kind"}, "a text");
  const auto& format = manifest.Take<int64_t>({"format"}, "a whole number");
  if (format != kFormat || kind != "seq2seq") {
    throw Error(Code::kUnsupported,
                name + ": kind '" + kind + "' of format " + std::to_string(format) +
                    ", but this version runs 'seq2seq' of format " + std::to_string(kFormat) +
                    "; export the model again with this version, or run it with the version that "
                    "made it");
  }
  return manifest;
}

bool IsPlainName(const std::string& name) {
  return !name.empty() && name[0] != '.' &&
         name.find_first_of(std::string_view("/\\:\0", 4)) == name.npos;
}

// The file of a name, as large as the manifest says and, with `verify`, with its SHA-256.
Bytes CheckedFile(const Files& files, const Manifest& manifest, const std::string& name,
                  bool verify) {
  if (!IsPlainName(name)) {
    throw Error(Code::kBadBundle, manifest.name() + ": names the file '" + name +
                                      "', but the files of a bundle lie in its own folder" +
                                      kAgain);
  }
  const auto& size = manifest.Take<int64_t>({"files", name, "bytes"}, "a whole number");
  const auto& sha256 = manifest.Take<std::string>({"files", name, "sha256"}, "a text");
  const Bytes bytes = files.Open(name);
  if (static_cast<uint64_t>(size) != bytes.size()) {
    throw Error(Code::kBadBundle, files.Name(name) + ": " + std::to_string(bytes.size()) +
                                      " bytes, but " + std::to_string(size) +
                                      " in the manifest: the file is truncated or altered" +
                                      kAgain);
  }
  if (verify && Sha256(bytes.data(), bytes.size()) != sha256) {
    throw Error(Code::kBadBundle,
                files.Name(name) +
                    ": sha256 differs from the manifest: the file is truncated or altered" +
                    kAgain);
  }
  return bytes;
}

}  // namespace

Bytes FolderFiles::Open(const std::string& name) const { return Bytes::MapFile(Name(name)); }

Bytes MemoryFiles::Open(const std::string& name) const {
  const auto found = files_.find(name);
  if (found == files_.end()) {
    throw Error(Code::kNotFound, name + ": is not among the files; give all files of the bundle");
  }
  return found->second;
}

Bundle OpenBundle(const Files& files, bool verify) {
  constexpr int64_t kMost = std::numeric_limits<int32_t>::max();
  constexpr int64_t kLongest = 1 << 20;
  const Bytes text = files.Open(kManifest);
  const Manifest manifest = ReadManifest(files, text);
  Bundle bundle = {};
  bundle.name = files.Name(kModel);
  bundle.size = text.size();
  std::map<std::string, Bytes> opened;
  manifest.Take({"files", kModel});
  for (const auto& [name, entry] : manifest.Take<json::Object>({"files"}, "an object")) {
    opened[name] = CheckedFile(files, manifest, name, verify);
    bundle.size += opened[name].size();
  }
  bundle.model = opened.at(kModel);

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
  const auto special = [&](std::string_view name) {
    return manifest.Integer({"ids", name}, 0, bundle.target_vocabulary - 1);
  };
  bundle.ids = {special("pad"), special("bos"), special("eos")};
  bundle.max_source_length = manifest.Integer({"limits", "max_source_length"}, 1, kLongest);
  bundle.max_target_length = manifest.Integer({"limits", "max_target_length"}, 1, kLongest);
  bundle.caches = manifest.Shapes({"decoder", "caches"});
  bundle.histories = manifest.Shapes({"decoder", "histories"});
  bundle.memories = manifest.Shapes({"decoder", "memories"});
  if (!manifest.Take({"decoder", "block"}).IsNull()) {
    bundle.block = manifest.Integer({"decoder", "block"}, 1, bundle.target_vocabulary);
    if (bundle.target_vocabulary % *bundle.block != 0) {
      manifest.Fail({"decoder", "block"}, "a divisor of the vocabulary");
    }
  }
  bundle.custom_ops = manifest.Names({"custom_ops"});
  return bundle;
}

}  // namespace tfcompress
