#include "tokenizer/text_settings.h"

namespace tfcompress {

TextSettings TextSettings::Read(const json::Value& value) {
  const SettingsReader reader(value);
  TextSettings settings;
  const std::string& kind = reader.Text("kind");
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
  } else if (kind == "published") {
    settings.kind = Kind::kPublished;
  } else if (kind == "published_sentencepiece") {
    settings.kind = Kind::kPublishedSentencePiece;
  } else {
    BadTokenizer("its kind is \"" + kind + "\"");
  }
  const bool may_lack_unknown =
      settings.kind == Kind::kBytePair || settings.kind == Kind::kPublished;
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
    case Kind::kPublished:
      return {"tokenizer.json"};
    case Kind::kPublishedSentencePiece:
      return {"tokenizer.model", "rules.json"};
    case Kind::kSentencePiece:
      break;
  }
  return {"tokenizer.model"};
}

}  // namespace tfcompress
