#ifndef TFCOMPRESS_TOKENIZER_PUBLISHED_UNIGRAM_H_
#define TFCOMPRESS_TOKENIZER_PUBLISHED_UNIGRAM_H_

#include <cstdint>
#include <string>
#include <vector>

#include "tokenizer/piece_model.h"
#include "tokenizer/trie.h"

namespace tfcompress {

// Splits words into the pieces that are most probable together.
class PublishedUnigram : public PieceModel {
 public:
  explicit PublishedUnigram(const SettingsReader& part);

  void Encode(const std::string& word, std::vector<int32_t>* ids) const override;

 private:
  struct Table {
    std::vector<std::string> pieces;
    std::vector<double> scores;
  };

  PublishedUnigram(const SettingsReader& part, Table table);
  static Table ReadTable(const json::Array& vocabulary);

  Trie ids_;
  std::vector<double> scores_;
  double unknown_score_;
  int32_t unknown_id_;
};

}  // namespace tfcompress

#endif  // TFCOMPRESS_TOKENIZER_PUBLISHED_UNIGRAM_H_
