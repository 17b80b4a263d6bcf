#ifndef TFCOMPRESS_RUNTIME_TEXT_STREAM_H_
#define TFCOMPRESS_RUNTIME_TEXT_STREAM_H_

#include <string>
#include <utility>
#include <vector>

#include "runtime/language_model.h"

namespace tfcompress {

// What follows a text, piece by piece.
class TextStream {
 public:
  // `model` must outlive it, and compute nothing else meanwhile. Throws Error as `Begin` does.
  TextStream(LanguageModel* model, std::string text, const GenerationOptions& options)
      : model_(*model), text_(std::move(text)), prompt_(model->Tokenize(text_)) {
    model_.Begin(prompt_, options);
  }

  // The next piece, which is valid until the next call; null after the last.
  const char* Next() {
    piece_ids_.clear();
    piece_scores_.clear();
    while (!is_over_) {
      const auto token = model_.Next();
      is_over_ = !token || token->id == model_.bundle().ids.eos;
      if (token) {
        piece_ids_.push_back(token->id);
        piece_scores_.push_back(token->log_probability);
      }
      if (!is_over_) ids_.push_back(token->id);
      const std::string whole = *model_.Continuation(text_, prompt_, ids_);
      // A character may need several tokens.
      const bool grows = whole.size() > shown_.size() && Begins(whole, shown_);
      if (!grows || (!is_over_ && Ends(whole, kReplacement))) continue;
      piece_ = whole.substr(shown_.size());
      shown_ = whole;
      return piece_.c_str();
    }
    return nullptr;
  }

  // The tokens of what `Next` gave last, the end id included where it came after it, and the
  // log-probability of each.
  const LanguageModel::Ids& piece_ids() const { return piece_ids_; }
  const std::vector<double>& piece_scores() const { return piece_scores_; }

 private:
  // What an incomplete character decodes to, U+FFFD.
  static constexpr char kReplacement[] = "\xEF\xBF\xBD";

  static bool Begins(const std::string& whole, const std::string& start) {
    return whole.compare(0, start.size(), start) == 0;
  }

  static bool Ends(const std::string& whole, const std::string& end) {
    return whole.size() >= end.size() &&
           whole.compare(whole.size() - end.size(), end.size(), end) == 0;
  }

  LanguageModel& model_;
  const std::string text_;
  const LanguageModel::Ids prompt_;
  LanguageModel::Ids ids_;
  std::string shown_;
  std::string piece_;
  LanguageModel::Ids piece_ids_;
  std::vector<double> piece_scores_;
  bool is_over_ = false;
};

}  // namespace tfcompress

#endif  // TFCOMPRESS_RUNTIME_TEXT_STREAM_H_
