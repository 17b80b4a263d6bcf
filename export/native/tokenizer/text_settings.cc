#include "tokenizer/text_settings.h"

namespace tfcompress {

TextSettings TextSettings::Read(const json::Value& value) {
  const SettingsReader reader(value);
  TextSettings settings;
  const std::string& type = reader.Text("tokenizer_type");
  if (type == "wordpiece") {
    settings.type = Type::kWordPiece;
    settings.lowercase = reader.Flag("lowercase");
    settings.strip_accents = reader.Flag("strip_accents");
    settings.split_on_cjk = reader.Flag("split_on_cjk");
    settings.special_in_text = reader.Flag("special_in_text");
  } else if (type == "byte_pair") {
    settings.type = Type::kBytePair;
    settings.add_prefix_space = reader.Flag("add_prefix_space");
    settings.special_in_text = reader.Flag("special_in_text");
  } else if (type == "sentencepiece") {
    settings.type = Type::kSentencePiece;
  } else if (type == "published") {
    settings.type = Type::kPublished;
  } else if (type == "published_sentencepiece") {
    settings.type = Type::kPublishedSentencePiece;
  } else {
    BadTokenizer("its tokenizer_type is \"" + type + "\"");
  }
  const bool may_lack_unknown =
      settings.type == Type::kBytePair || settings.type == Type::kPublished;
  settings.pad_id = reader.Id("pad_id");
  settings.unk_id = may_lack_unknown && reader.IsNull("unk_id") ? -1 : reader.Id("unk_id");
  settings.start_id = reader.Id("start_id");
  settings.end_id = reader.Id("end_id");
  settings.special_ids = reader.Ids("special_ids");
  return settings;
}

std::vector<std::string> TextSettings::FileNames() const {
  switch (type) {
    case Type::kWordPiece:
      return {"vocabulary.txt"};
    case Type::kBytePair:
      return {"vocabulary.json", "merges.txt"};
    case Type::kPublished:
      return {"tokenizer.json"};
    case Type::kPublishedSentencePiece:
      return {"tokenizer.model", "rules.json"};
    case Type::kSentencePiece:
      break;
  }
  return {"tokenizer.model"};
}

}  // namespace tfcompress
