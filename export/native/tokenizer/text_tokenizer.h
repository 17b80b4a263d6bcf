#ifndef TFCOMPRESS_TOKENIZER_TEXT_TOKENIZER_H_
#define TFCOMPRESS_TOKENIZER_TEXT_TOKENIZER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tokenizer/text_settings.h"

namespace tfcompress {

// Splits texts into ids and joins ids to texts; one for each type of vocabulary.
class TextModel {
 public:
  virtual ~TextModel() = default;

  // How many ids there are.
  virtual int32_t size() const = 0;
  // Appends the ids of a UTF-8 text.
  virtual void Encode(std::string_view text, std::vector<int32_t>* ids) const = 0;
  // The text of ids, none of which is out of range.
  virtual std::string Decode(const std::vector<int32_t>& ids) const = 0;
};

// The tokenizer of a text encoder, with the same ids as tfcompress.text in Python. Copies share the
// model; several threads may use one tokenizer.
class TextTokenizer {
 public:
  // Reads the files that the settings name and copies what it needs. Throws Error (kBadBundle) if
  // they cannot be used.
  static TextTokenizer Parse(const TextSettings& settings,
                             const std::vector<std::string_view>& files);

  // The ids of a UTF-8 text, without begin and end; parts that are no UTF-8 count as U+FFFD. Throws
  // Error (kInvalidArgument) if the text has 256 MiB or more.
  std::vector<int32_t> Encode(std::string_view text) const;

  // The UTF-8 text of some ids; padding, begin and end leave no trace. Throws Error
  // (kInvalidArgument) for ids out of range.
  std::string Decode(const std::vector<int32_t>& ids) const;

  // How many ids there are.
  int32_t size() const { return model_->size(); }

  const TextSettings& settings() const { return settings_; }

 private:
  TextTokenizer(TextSettings settings, std::shared_ptr<const TextModel> model)
      : settings_(std::move(settings)), model_(std::move(model)) {}

  TextSettings settings_;
  std::shared_ptr<const TextModel> model_;
};

}  // namespace tfcompress

#endif  // TFCOMPRESS_TOKENIZER_TEXT_TOKENIZER_H_
