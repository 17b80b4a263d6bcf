#ifndef TFCOMPRESS_TOKENIZER_TOKENIZER_H_
#define TFCOMPRESS_TOKENIZER_TOKENIZER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tfcompress {

// Where a token is in a text, in bytes.
struct TokenSpan {
  size_t begin;
  size_t end;
};

// Turns text into the ids of a SentencePiece model (unigram or BPE) and back, exactly as the Python
// class Tokenizer does. Copies share the model; several threads may use one tokenizer.
class Tokenizer {
 public:
  // Reads a serialized model (the bytes of a `.model` file) and copies what it needs. Throws Error:
  // kBadBundle if the bytes are no usable model, kUnsupported if its type is word or char. Pieces
  // from num_ids on count as unknown; 0 is for all pieces.
  static Tokenizer Parse(const void* data, size_t size, int32_t num_ids = 0);

  // The ids of a UTF-8 text, with those that the model puts around every text, such as the code of
  // its language; bytes that are no UTF-8 count as U+FFFD. Throws Error
  // (kInvalidArgument) if the text has 256 MiB or more.
  // `spans`, unless it is null, becomes where each of them is.
  std::vector<int32_t> Encode(std::string_view text, std::vector<TokenSpan>* spans = nullptr) const;

  // The same without those around the text, as for a part of a text.
  std::vector<int32_t> EncodeWithoutAffixes(std::string_view text) const;

  // The UTF-8 text of some ids. Throws Error (kInvalidArgument) for ids out of range.
  // `spans`, unless it is null, becomes where each of them is, before the model's denormalization.
  std::string Decode(const std::vector<int32_t>& ids,
                     std::vector<TokenSpan>* spans = nullptr) const;

  // The bytes of text that an id stands for, with its space; a space for the unknown one.
  std::string Surface(int32_t id) const;

  // Whether an id stands for unknown text.
  bool IsUnknown(int32_t id) const;

  // How many ids there are.
  int32_t size() const;

 private:
  struct Model;

  explicit Tokenizer(std::shared_ptr<const Model> model) : model_(std::move(model)) {}

  std::shared_ptr<const Model> model_;
};

}  // namespace tfcompress

#endif  // TFCOMPRESS_TOKENIZER_TOKENIZER_H_
