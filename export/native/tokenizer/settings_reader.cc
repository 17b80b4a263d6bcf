#include "tokenizer/settings_reader.h"

#include "common/error.h"

namespace tfcompress {
namespace {

int32_t ToId(const std::string& name, const json::Value& value) {
  const int64_t* id = value.As<int64_t>();
  if (id == nullptr) BadTokenizer("its setting " + name + " is no whole number");
  if (*id < 0 || *id > INT32_MAX) {
    BadTokenizer("its setting " + name + " has the id " + std::to_string(*id));
  }
  return static_cast<int32_t>(*id);
}

}  // namespace

void BadTokenizer(const std::string& cause) {
  throw Error(Error::Code::kBadBundle, "The text tokenizer cannot be used", cause, kCopyAgain);
}

SettingsReader::SettingsReader(const json::Value& value) : object_(value.As<json::Object>()) {
  if (object_ == nullptr) BadTokenizer("its settings are no object");
}

const json::Value& SettingsReader::Find(const std::string& name) const {
  const auto it = object_->find(name);
  if (it == object_->end()) BadTokenizer("its setting " + name + " is missing");
  return it->second;
}

bool SettingsReader::Has(const std::string& name) const {
  const auto it = object_->find(name);
  return it != object_->end() && !it->second.IsNull();
}

int32_t SettingsReader::Id(const std::string& name) const { return ToId(name, Find(name)); }

std::vector<int32_t> SettingsReader::Ids(const std::string& name) const {
  std::vector<int32_t> ids;
  for (const json::Value& value : List(name)) {
    if (value.As<int64_t>() == nullptr) {
      BadTokenizer("its setting " + name + " has what is no whole number");
    }
    ids.push_back(ToId(name, value));
  }
  return ids;
}

}  // namespace tfcompress
