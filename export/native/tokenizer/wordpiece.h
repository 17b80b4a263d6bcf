#ifndef TFCOMPRESS_TOKENIZER_WORDPIECE_H_
#define TFCOMPRESS_TOKENIZER_WORDPIECE_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/special_pieces.h"
#include "tokenizer/text_tokenizer.h"
#include "tokenizer/trie.h"

namespace tfcompress {

// Splits words into the longest pieces of a vocabulary, as BERT does.
class WordPiece : public TextModel {
 public:
  // Reads a vocabulary, one piece a line. Throws Error (kBadBundle).
  WordPiece(const TextSettings& settings, std::string_view vocabulary);

  int32_t size() const override { return static_cast<int32_t>(pieces_.size()); }
  void Encode(std::string_view text, std::vector<int32_t>* ids) const override;
  std::string Decode(const std::vector<int32_t>& ids) const override;

 private:
  void EncodePart(std::string_view text, std::vector<int32_t>* ids) const;
  void EncodeWord(std::string_view word, std::vector<int32_t>* ids) const;

  TextSettings settings_;
  std::vector<std::string> pieces_;
  // What a word can begin with, and what can follow, without the mark "##".
  Trie first_;
  Trie following_;
  SpecialPieces special_;
};

}  // namespace tfcompress

#endif  // TFCOMPRESS_TOKENIZER_WORDPIECE_H_
