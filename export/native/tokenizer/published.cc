#include "tokenizer/published.h"

#include <algorithm>

#include "tokenizer/published_decoder.h"

namespace tfcompress {

Published::Published(std::string_view file)
    : Published(SettingsReader(json::Parse(file, "tokenizer.json"))) {}

Published::Published(const SettingsReader& file)
    : normalizer_(ReadNormalizer(file.Find("normalizer"))),
      added_(file.Find("added_tokens"), &normalizer_),
      splitter_(ReadSplitter(file.Find("pre_tokenizer"))),
      model_(ReadPieceModel(file.Find("model"))),
      added_pieces_(),
      decoder_(file.Find("decoder")),
      size_(static_cast<int32_t>(model_->pieces().size())) {
  for (const auto& [piece, id] : added_.all()) {
    added_pieces_[id] = piece;
    size_ = std::max(size_, id + 1);
  }
}

void Published::Encode(std::string_view text, std::vector<int32_t>* ids) const {
  for (const auto& [part, id] : added_.Split(text)) {
    if (id) {
      ids->push_back(*id);
    } else {
      for (const std::string& word : splitter_(part)) model_->Encode(word, ids);
    }
  }
}

std::string Published::Decode(const std::vector<int32_t>& ids) const {
  std::vector<std::string> pieces;
  for (const int32_t id : ids) {
    const auto added = added_pieces_.find(id);
    const auto place = static_cast<size_t>(id);
    if (added != added_pieces_.end()) {
      pieces.push_back(added->second);
    } else if (place < model_->pieces().size() && !model_->pieces()[place].empty()) {
      pieces.push_back(model_->pieces()[place]);
    }
  }
  return JoinPieces(decoder_, std::move(pieces));
}

}  // namespace tfcompress
