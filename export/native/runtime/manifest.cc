#include "runtime/manifest.h"

#include <tuple>
#include <utility>

#include "common/error.h"
#include "common/schema.h"
#include "common/sha256.h"
#include "ops/op.h"

namespace tfcompress {
namespace {

constexpr char kManifest[] = "manifest.json";
// Its values take several times as much memory.
constexpr uint64_t kMostBytes = 1 << 21;
constexpr char kAltered[] = "A file of the bundle is truncated or altered";
constexpr char kOtherVersion[] = "The bundle is of another version";
constexpr char kThisVersion[] =
    "Export the model again with this version, or run it with the version that wrote it";

using Code = Error::Code;

// The manifest, and its size.
std::pair<json::Value, uint64_t> Read(const Files& files) {
  const std::string name = files.Name(kManifest);
  if (files.Size(kManifest) > kMostBytes) {
    throw Error(Code::kBadBundle, "The manifest is too large", name, kCopyAgain);
  }
  const Bytes bytes = files.Open(kManifest);
  json::Value value = json::Parse(bytes.text(), name);
  if (value.As<json::Object>() == nullptr) {
    throw Error(Code::kBadBundle, "The manifest must be a JSON object", name, kCopyAgain);
  }
  return {std::move(value), bytes.size()};
}

std::string Joined(Manifest::Keys keys) {
  std::string joined;
  for (std::string_view key : keys) joined.append(joined.empty() ? "" : ".").append(key);
  return joined;
}

bool IsPlainName(const std::string& name) {
  return !name.empty() && name[0] != '.' &&
         name.find_first_of(std::string_view("/\\:\0", 4)) == name.npos;
}

}  // namespace

std::string BundleModelType(const Files& files) {
  const json::Value value = Read(files).first;
  const auto& object = *value.As<json::Object>();
  const auto entry = object.find("model_type");
  const auto* type = entry == object.end() ? nullptr : entry->second.As<std::string>();
  return type == nullptr ? "" : *type;
}

Manifest::Manifest(const Files& files, const std::string& model_type)
    : name_(files.Name(kManifest)) {
  std::tie(value_, size_) = Read(files);
  const auto& format = Take<int64_t>({"format"}, "a whole number");
  if (format != kFormat) {
    throw Error(
        Code::kUnsupported, kOtherVersion,
        name_ + " with format=" + std::to_string(format) + " instead of " + std::to_string(kFormat),
        kThisVersion);
  }
  const auto& actual = Take<std::string>({"model_type"}, "a text");
  const std::map<std::string, const char*> openers = {
      {kTranslation, " of a translation model, which tfc_open opens"},
      {kTextEncoder, " of a text encoder, which tfc_open_encoder opens"},
      {kLanguageModel, " of a language model, which tfc_open_language_model opens"}};
  const auto opener = openers.find(actual);
  if (actual != model_type && opener != openers.end()) {
    throw Error(Code::kUnsupported, "The bundle holds another type of model",
                name_ + opener->second, "Use that");
  }
  if (actual != model_type) {
    throw Error(Code::kUnsupported, kOtherVersion,
                name_ + " with model_type='" + actual + "' instead of '" + model_type + "'",
                kThisVersion);
  }
}

const json::Value* Manifest::Find(Keys keys) const {
  const json::Value* value = &value_;
  for (std::string_view key : keys) {
    const auto* object = value->As<json::Object>();
    const auto it =
        object == nullptr ? json::Object::const_iterator() : object->find(std::string(key));
    if (object == nullptr || it == object->end()) return nullptr;
    value = &it->second;
  }
  return value;
}

const json::Value& Manifest::Take(Keys keys) const {
  const json::Value* value = Find(keys);
  if (value == nullptr) {
    throw Error(Code::kBadBundle, "The manifest lacks a value",
                name_ + " without `" + Joined(keys) + "`", kCopyAgain);
  }
  return *value;
}

int32_t Manifest::Integer(Keys keys, int64_t least, int64_t most) const {
  const auto& value = Take<int64_t>(keys, "a whole number");
  if (value < least || value > most) {
    Fail(keys, "from " + std::to_string(least) + " to " + std::to_string(most));
  }
  return static_cast<int32_t>(value);
}

void Manifest::CheckChannels(Keys keys, int64_t channels, const Bytes& model) const {
  // Each has weights of its own.
  const auto most = static_cast<int64_t>(model.size());
  if (channels > most) Fail(keys, "possible for a model of " + std::to_string(most) + " bytes");
}

std::vector<std::string> Manifest::Names(Keys keys) const {
  std::vector<std::string> names;
  for (const json::Value& element : Take<json::Array>(keys, "a list")) {
    const auto* name = element.As<std::string>();
    if (name == nullptr) Fail(keys, "a list of names");
    names.push_back(*name);
  }
  return names;
}

std::vector<std::string> Manifest::CustomOps() const {
  std::vector<std::string> names = Names({"custom_ops"});
  std::string missing;
  for (const std::string& name : names) {
    if (ops::Find(name) == nullptr) missing += (missing.empty() ? "" : ", ") + name;
  }
  if (missing.empty()) return names;
  throw Error(Code::kUnsupported, "The bundle needs custom operations that are unavailable",
              name_ + " with " + missing,
              "Export it without `custom_ops`, or use the version that wrote it");
}

std::map<std::string, Bytes> Manifest::OpenFiles(const Files& files, bool verify) const {
  std::map<std::string, Bytes> opened;
  Take({"files", kModelFile});
  for (const auto& [name, entry] : Take<json::Object>({"files"}, "an object")) {
    opened[name] = CheckedFile(files, name, verify);
  }
  return opened;
}

Bytes Manifest::CheckedFile(const Files& files, const std::string& name, bool verify) const {
  if (!IsPlainName(name)) {
    throw Error(Code::kBadBundle, "The files of a bundle must lie in its own folder",
                name_ + " with the file '" + name + "'", kCopyAgain);
  }
  const auto& size = Take<int64_t>({"files", name, "bytes"}, "a whole number");
  const auto& sha256 = Take<std::string>({"files", name, "sha256"}, "a text");
  // Before any of it is read, as there is memory for what was exported only.
  const uint64_t actual = files.Size(name);
  const Bytes bytes = static_cast<uint64_t>(size) == actual ? files.Open(name) : Bytes();
  if (static_cast<uint64_t>(size) != bytes.size()) {
    throw Error(Code::kBadBundle, kAltered,
                files.Name(name) + " of " + std::to_string(actual) + " bytes instead of " +
                    std::to_string(size),
                kCopyAgain);
  }
  if (verify && Sha256(bytes.data(), bytes.size()) != sha256) {
    throw Error(Code::kBadBundle, kAltered,
                files.Name(name) + ", whose SHA-256 differs from the manifest's", kCopyAgain);
  }
  return bytes;
}

void Manifest::Fail(Keys keys, const std::string& what) const {
  throw Error(Code::kBadBundle, "The manifest has an impossible value",
              name_ + ", where `" + Joined(keys) + "` must be " + what, kCopyAgain);
}

}  // namespace tfcompress
