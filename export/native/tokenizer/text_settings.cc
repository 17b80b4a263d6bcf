#include "tokenizer/text_settings.h"

#include "common/error.h"

namespace tfcompress {
namespace {

class Reader {
 public:
  explicit Reader(const json::Value& value) : object_(value.As<json::Object>()) {
    if (object_ == nullptr) BadTokenizer("its settings are no object");
  }

  template <typename T>
  const T& Get(const std::string& name, const char* type) const {
    const T* found = Find(name).As<T>();
    if (found == nullptr) BadTokenizer("its setting " + name + " is no " + type);
    return *found;
  }

  bool Flag(const std::string& name) const { return Get<bool>(name, "boolean"); }

  int32_t Id(const std::string& name) const { return Id(name, Get<int64_t>(name, "whole number")); }

  bool IsNull(const std::string& name) const { return Find(name).IsNull(); }

  std::vector<int32_t> Ids(const std::string& name) const {
    std::vector<int32_t> ids;
    for (const json::Value& value : Get<json::Array>(name, "array")) {
      const int64_t* id = value.As<int64_t>();
      if (id == nullptr) BadTokenizer("its setting " + name + " has what is no whole number");
      ids.push_back(Id(name, *id));
    }
    return ids;
  }

 private:
  const json::Value& Find(const std::string& name) const {
    const auto found = object_->find(name);
    if (found == object_->end()) BadTokenizer("its setting " + name + " is missing");
    return found->second;
  }

  static int32_t Id(const std::string& name, int64_t id) {
    if (id < 0 || id > INT32_MAX) {
      BadTokenizer("its setting " + name + " has the id " + std::to_string(id));
    }
    return static_cast<int32_t>(id);
  }

  const json::Object* object_;
};

}  // namespace

TextSettings TextSettings::Read(const json::Value& value) {
  const Reader reader(value);
  TextSettings settings;
  const std::string& kind = reader.Get<std::string>("kind", "text");
  if (kind == "wordpiece") {
    settings.kind = Kind::kWordPiece;
    settings.lowercase = reader.Flag("lowercase");
    settings.strip_accents = reader.Flag("strip_accents");
    settings.split_on_cjk = reader.Flag("split_on_cjk");
    settings.special_in_text = reader.Flag("special_in_text");
  } else if (kind == "byte_pair") {
    settings.kind = Kind::kBytePair;
    settings.add_prefix_space = reader.Flag("add_prefix_space");
    settings.special_in_text = reader.Flag("special_in_text");
  } else if (kind == "sentencepiece") {
    settings.kind = Kind::kSentencePiece;
  } else {
    BadTokenizer("its kind is \"" + kind + "\"");
  }
  const bool may_lack_unknown = settings.kind == Kind::kBytePair;
  settings.pad_id = reader.Id("pad_id");
  settings.unk_id = may_lack_unknown && reader.IsNull("unk_id") ? -1 : reader.Id("unk_id");
  settings.start_id = reader.Id("start_id");
  settings.end_id = reader.Id("end_id");
  settings.special_ids = reader.Ids("special_ids");
  return settings;
}

std::vector<std::string> TextSettings::FileNames() const {
  switch (kind) {
    case Kind::kWordPiece:
      return {"vocabulary.txt"};
    case Kind::kBytePair:
      return {"vocabulary.json", "merges.txt"};
    case Kind::kSentencePiece:
      break;
  }
  return {"tokenizer.model"};
}

void BadTokenizer(const std::string& cause) {
  throw Error(Error::Code::kBadBundle, "The text tokenizer cannot be used: " + cause +
                                           ". Export the bundle again, or copy it again.");
}

}  // namespace tfcompress
