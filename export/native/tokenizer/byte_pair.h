#ifndef TFCOMPRESS_TOKENIZER_BYTE_PAIR_H_
#define TFCOMPRESS_TOKENIZER_BYTE_PAIR_H_

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tokenizer/merges.h"
#include "tokenizer/special_pieces.h"
#include "tokenizer/text_tokenizer.h"

namespace tfcompress {

// Splits texts as GPT-2 does and merges the bytes of each part.
class BytePair : public TextModel {
 public:
  // Reads a JSON object of ids by piece, and merges, one a line. Throws Error (kBadBundle).
  BytePair(const TextSettings& settings, std::string_view vocabulary, std::string_view merges);

  int32_t size() const override { return static_cast<int32_t>(pieces_.size()); }
  void Encode(std::string_view text, std::vector<int32_t>* ids) const override;
  std::string Decode(const std::vector<int32_t>& ids) const override;

 private:
  void ReadMerges(std::string_view file, const std::unordered_map<std::string_view, int32_t>& ids);
  void EncodeWord(std::string_view word, std::vector<int32_t>* ids) const;

  TextSettings settings_;
  std::vector<std::string> pieces_;
  std::array<int32_t, 256> byte_ids_;
  Merges merges_;
  SpecialPieces special_;
};

}  // namespace tfcompress

#endif  // TFCOMPRESS_TOKENIZER_BYTE_PAIR_H_
