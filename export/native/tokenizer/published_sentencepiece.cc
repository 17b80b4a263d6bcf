#include "tokenizer/published_sentencepiece.h"

#include <algorithm>

namespace tfcompress {

PublishedSentencePiece::PublishedSentencePiece(std::string_view model, std::string_view rules)
    : PublishedSentencePiece(model, SettingsReader(json::Parse(rules, "rules.json"))) {}

PublishedSentencePiece::PublishedSentencePiece(std::string_view model, const SettingsReader& rules)
    : tokenizer_(Tokenizer::Parse(model.data(), model.size())),
      normalizer_(ReadNormalizer(rules.Find("normalizer"))),
      added_(rules.Find("added_tokens"), nullptr),
      size_(tokenizer_.size()) {
  for (const auto& [piece, id] : added_.all()) size_ = std::max(size_, id + 1);
}

void PublishedSentencePiece::Encode(std::string_view text, std::vector<int32_t>* ids) const {
  for (const auto& [part, id] : added_.Split(text)) {
    if (id) {
      ids->push_back(*id);
    } else {
      const std::vector<int32_t> part_ids = tokenizer_.Encode(normalizer_(part));
      ids->insert(ids->end(), part_ids.begin(), part_ids.end());
    }
  }
}

std::string PublishedSentencePiece::Decode(const std::vector<int32_t>& ids) const {
  std::string text;
  std::vector<int32_t> pieces;
  const auto add = [&](const std::string& part) {
    if (!text.empty() && !part.empty()) text += ' ';
    text += part;
  };
  for (const int32_t id : ids) {
    if (id < tokenizer_.size()) {
      pieces.push_back(id);
      continue;
    }
    add(tokenizer_.Decode(pieces));
    pieces.clear();
    for (const auto& [piece, number] : added_.all()) {
      if (number == id) add(piece);
    }
  }
  add(tokenizer_.Decode(pieces));
  return text;
}

}  // namespace tfcompress
