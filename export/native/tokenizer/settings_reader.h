#ifndef TFCOMPRESS_TOKENIZER_SETTINGS_READER_H_
#define TFCOMPRESS_TOKENIZER_SETTINGS_READER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "common/json.h"

namespace tfcompress {

// Throws Error (kBadBundle) that says why a tokenizer cannot be used.
[[noreturn]] void BadTokenizer(const std::string& cause);

// Takes values out of a JSON object; Error (kBadBundle) names one that is missing or wrong.
class SettingsReader {
 public:
  explicit SettingsReader(const json::Value& value);

  // The value under a name, which must be there.
  const json::Value& Find(const std::string& name) const;

  template <typename T>
  const T& Get(const std::string& name, const char* type) const {
    const T* value = Find(name).As<T>();
    if (value == nullptr) BadTokenizer("its setting " + name + " is no " + type);
    return *value;
  }

  bool Flag(const std::string& name) const { return Get<bool>(name, "boolean"); }
  const std::string& Text(const std::string& name) const { return Get<std::string>(name, "text"); }
  const json::Array& List(const std::string& name) const { return Get<json::Array>(name, "array"); }
  bool IsNull(const std::string& name) const { return Find(name).IsNull(); }
  // Whether it is there and not null.
  bool Has(const std::string& name) const;
  int32_t Id(const std::string& name) const;
  std::vector<int32_t> Ids(const std::string& name) const;

 private:
  const json::Object* object_;
};

}  // namespace tfcompress

#endif  // TFCOMPRESS_TOKENIZER_SETTINGS_READER_H_
