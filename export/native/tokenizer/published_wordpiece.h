#ifndef TFCOMPRESS_TOKENIZER_PUBLISHED_WORDPIECE_H_
#define TFCOMPRESS_TOKENIZER_PUBLISHED_WORDPIECE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "tokenizer/piece_model.h"
#include "tokenizer/trie.h"

namespace tfcompress {

// Splits words into the longest pieces from left to right.
class PublishedWordPiece : public PieceModel {
 public:
  explicit PublishedWordPiece(const SettingsReader& part);

  void Encode(const std::string& word, std::vector<int32_t>* ids) const override;

 private:
  // What a word can begin with, and what can follow, without the mark of such pieces.
  Trie first_;
  Trie following_;
  size_t longest_word_;
  int32_t unknown_id_;
};

}  // namespace tfcompress

#endif  // TFCOMPRESS_TOKENIZER_PUBLISHED_WORDPIECE_H_
