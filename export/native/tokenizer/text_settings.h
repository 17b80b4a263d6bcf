#ifndef TFCOMPRESS_TOKENIZER_TEXT_SETTINGS_H_
#define TFCOMPRESS_TOKENIZER_TEXT_SETTINGS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "common/json.h"
#include "tokenizer/settings_reader.h"

namespace tfcompress {

// How the tokenizer of a text encoder works, as its bundle's manifest says.
struct TextSettings {
  enum class Type {
    kWordPiece,
    kBytePair,
    kSentencePiece,
    kPublished,
    kPublishedSentencePiece,
  };

  // Reads them. Throws Error (kBadBundle) if one is missing or of the wrong type.
  static TextSettings Read(const json::Value& value);

  // The names of the files that a type of tokenizer needs, in the order of TextTokenizer::Parse.
  std::vector<std::string> FileNames() const;

  Type type = Type::kWordPiece;
  bool lowercase = false;
  bool strip_accents = false;
  bool split_on_cjk = false;
  bool special_in_text = false;
  bool add_prefix_space = false;
  int32_t pad_id = 0;
  // -1 if there is no unknown piece.
  int32_t unk_id = 0;
  int32_t start_id = 0;
  int32_t end_id = 0;
  // Special pieces besides these.
  std::vector<int32_t> special_ids;
};

}  // namespace tfcompress

#endif  // TFCOMPRESS_TOKENIZER_TEXT_SETTINGS_H_
