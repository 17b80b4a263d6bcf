#include "tokenizer/text_tokenizer.h"

#include <algorithm>

#include "common/error.h"
#include "tokenizer/byte_pair.h"
#include "tokenizer/published.h"
#include "tokenizer/published_sentencepiece.h"
#include "tokenizer/tokenizer.h"
#include "tokenizer/unicode.h"
#include "tokenizer/wordpiece.h"

namespace tfcompress {
namespace {

constexpr size_t kLongestText = size_t{1} << 28;

class SentencePieceModel : public TextModel {
 public:
  explicit SentencePieceModel(std::string_view file)
      : tokenizer_(Tokenizer::Parse(file.data(), file.size())) {}

  int32_t size() const override { return tokenizer_.size(); }

  void Encode(std::string_view text, std::vector<int32_t>* ids) const override {
    const std::vector<int32_t> part_ids = tokenizer_.Encode(text);
    ids->insert(ids->end(), part_ids.begin(), part_ids.end());
  }

  std::string Decode(const std::vector<int32_t>& ids) const override {
    return tokenizer_.Decode(ids);
  }

 private:
  Tokenizer tokenizer_;
};

std::shared_ptr<const TextModel> MakeModel(const TextSettings& settings,
                                           const std::vector<std::string_view>& files) {
  if (files.size() != settings.FileNames().size()) {
    BadTokenizer("it has " + std::to_string(files.size()) + " files");
  }
  switch (settings.type) {
    case TextSettings::Type::kWordPiece:
      return std::make_shared<const WordPiece>(settings, files[0]);
    case TextSettings::Type::kBytePair:
      return std::make_shared<const BytePair>(settings, files[0], files[1]);
    case TextSettings::Type::kPublished:
      return std::make_shared<const Published>(files[0]);
    case TextSettings::Type::kPublishedSentencePiece:
      return std::make_shared<const PublishedSentencePiece>(files[0], files[1]);
    case TextSettings::Type::kSentencePiece:
      break;
  }
  return std::make_shared<const SentencePieceModel>(files[0]);
}

void CheckId(int32_t id, int32_t size) {
  if (id < 0 || id >= size) {
    BadTokenizer("its settings name the special id " + std::to_string(id) +
                 ", but its vocabulary has " + std::to_string(size) + " pieces");
  }
}

}  // namespace

TextTokenizer TextTokenizer::Parse(const TextSettings& settings,
                                   const std::vector<std::string_view>& files) {
  auto model = MakeModel(settings, files);
  for (const int32_t id : {settings.pad_id, settings.start_id, settings.end_id}) {
    CheckId(id, model->size());
  }
  if (settings.unk_id >= 0) CheckId(settings.unk_id, model->size());
  for (const int32_t id : settings.special_ids) CheckId(id, model->size());
  return TextTokenizer(settings, std::move(model));
}

std::vector<int32_t> TextTokenizer::Encode(std::string_view text) const {
  if (text.size() >= kLongestText) {
    throw Error(Error::Code::kInvalidArgument,
                "A text must have fewer than " + std::to_string(kLongestText) + " bytes",
                std::to_string(text.size()) + " bytes", "Pass it in parts");
  }
  std::vector<int32_t> ids;
  model_->Encode(IsAscii(text) ? std::string(text) : ValidText(text), &ids);
  return ids;
}

std::string TextTokenizer::Decode(const std::vector<int32_t>& ids) const {
  std::vector<int32_t> shown;
  for (const int32_t id : ids) {
    if (id < 0 || id >= size()) {
      throw Error(Error::Code::kInvalidArgument,
                  "Ids must be from 0 to " + std::to_string(size() - 1) + ", as in the tokenizer",
                  std::to_string(id), "Pass others");
    }
    const bool is_hidden =
        id == settings_.pad_id || id == settings_.start_id || id == settings_.end_id;
    if (!is_hidden) shown.push_back(id);
  }
  return model_->Decode(shown);
}

}  // namespace tfcompress
