#ifndef TFCOMPRESS_TOKENIZER_PUBLISHED_BPE_H_
#define TFCOMPRESS_TOKENIZER_PUBLISHED_BPE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "tokenizer/merges.h"
#include "tokenizer/piece_model.h"
#include "tokenizer/trie.h"

namespace tfcompress {

// Merges the characters of words to pieces.
class PublishedBpe : public PieceModel {
 public:
  explicit PublishedBpe(const SettingsReader& part);

  void Encode(const std::string& word, std::vector<int32_t>* ids) const override;

 private:
  void ReadMerges(const json::Array& merges);

  Trie ids_;
  Merges merges_;
  // -1 if unknown characters are left out.
  int32_t unknown_id_ = -1;
  bool fuses_unknown_;
  bool takes_whole_words_;
};

}  // namespace tfcompress

#endif  // TFCOMPRESS_TOKENIZER_PUBLISHED_BPE_H_
