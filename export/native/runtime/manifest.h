#ifndef TFCOMPRESS_RUNTIME_MANIFEST_H_
#define TFCOMPRESS_RUNTIME_MANIFEST_H_

#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/bytes.h"
#include "common/json.h"
#include "runtime/files.h"

namespace tfcompress {

constexpr char kModelFile[] = "model.tflite";
constexpr char kTranslation[] = "translation";
constexpr char kTextEncoder[] = "text_encoder";
constexpr char kLanguageModel[] = "language_model";

// The type of model that a bundle's manifest names. Throws Error (kNotFound, kBadBundle).
std::string BundleModelType(const Files& files);

// The values of a bundle's manifest, each checked as it is taken. What it has not, or has wrong,
// throws Error (kBadBundle).
class Manifest {
 public:
  using Keys = std::initializer_list<std::string_view>;

  // Throws Error (kNotFound, kBadBundle), and Error (kUnsupported) for another type of model or
  // another format.
  Manifest(const Files& files, const std::string& model_type);

  // Null where it has none.
  const json::Value* Find(Keys keys) const;
  const json::Value& Take(Keys keys) const;

  template <typename T>
  const T& Take(Keys keys, const char* value_type) const {
    const T* value = Take(keys).As<T>();
    if (value == nullptr) Fail(keys, value_type);
    return *value;
  }

  int32_t Integer(Keys keys, int64_t least, int64_t most) const;
  // Throws Error (kBadBundle) if a model of so many bytes cannot have so many channels.
  void CheckChannels(Keys keys, int64_t channels, const Bytes& model) const;
  std::vector<std::string> Names(Keys keys) const;
  // The custom operations that the model needs. Throws Error (kUnsupported) if this library lacks
  // one.
  std::vector<std::string> CustomOps() const;

  // All files that it names, as large as it says and, with `verify`, with their SHA-256. The model
  // is among them.
  std::map<std::string, Bytes> OpenFiles(const Files& files, bool verify) const;
  // Bytes of the manifest itself.
  uint64_t size() const { return size_; }

  [[noreturn]] void Fail(Keys keys, const std::string& what) const;

 private:
  Bytes CheckedFile(const Files& files, const std::string& name, bool verify) const;

  std::string name_;
  uint64_t size_;
  json::Value value_;
};

}  // namespace tfcompress

#endif  // TFCOMPRESS_RUNTIME_MANIFEST_H_
