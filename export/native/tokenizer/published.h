#ifndef TFCOMPRESS_TOKENIZER_PUBLISHED_H_
#define TFCOMPRESS_TOKENIZER_PUBLISHED_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tokenizer/added_tokens.h"
#include "tokenizer/piece_model.h"
#include "tokenizer/published_normalizer.h"
#include "tokenizer/published_splitter.h"
#include "tokenizer/settings_reader.h"
#include "tokenizer/text_tokenizer.h"

namespace tfcompress {

// A tokenizer as a `tokenizer.json` defines it, with the ids of the package tokenizers.
class Published : public TextModel {
 public:
  // Throws Error (kBadBundle) if the file is damaged or has a part that is not known.
  explicit Published(std::string_view file);

  int32_t size() const override { return size_; }
  void Encode(std::string_view text, std::vector<int32_t>* ids) const override;
  std::string Decode(const std::vector<int32_t>& ids) const override;

 private:
  explicit Published(const SettingsReader& file);

  PublishedNormalizer normalizer_;
  AddedTokens added_;
  PublishedSplitter splitter_;
  std::unique_ptr<const PieceModel> model_;
  std::unordered_map<int32_t, std::string> added_pieces_;
  json::Value decoder_;
  int32_t size_;
};

}  // namespace tfcompress

#endif  // TFCOMPRESS_TOKENIZER_PUBLISHED_H_
