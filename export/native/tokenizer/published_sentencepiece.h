#ifndef TFCOMPRESS_TOKENIZER_PUBLISHED_SENTENCEPIECE_H_
#define TFCOMPRESS_TOKENIZER_PUBLISHED_SENTENCEPIECE_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/added_tokens.h"
#include "tokenizer/published_normalizer.h"
#include "tokenizer/settings_reader.h"
#include "tokenizer/text_tokenizer.h"
#include "tokenizer/tokenizer.h"

namespace tfcompress {

// A SentencePiece model behind rules: the tokens that a text is split at, and what normalizes each
// other part.
class PublishedSentencePiece : public TextModel {
 public:
  // Throws Error (kBadBundle) if a file is damaged.
  PublishedSentencePiece(std::string_view model, std::string_view rules);

  int32_t size() const override { return size_; }
  void Encode(std::string_view text, std::vector<int32_t>* ids) const override;
  std::string Decode(const std::vector<int32_t>& ids) const override;

 private:
  PublishedSentencePiece(std::string_view model, const SettingsReader& rules);

  Tokenizer tokenizer_;
  PublishedNormalizer normalizer_;
  AddedTokens added_;
  int32_t size_;
};

}  // namespace tfcompress

#endif  // TFCOMPRESS_TOKENIZER_PUBLISHED_SENTENCEPIECE_H_
