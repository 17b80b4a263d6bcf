#ifndef TFCOMPRESS_TOKENIZER_PIECE_MODEL_H_
#define TFCOMPRESS_TOKENIZER_PIECE_MODEL_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/json.h"
#include "tokenizer/settings_reader.h"
#include "tokenizer/trie.h"

namespace tfcompress {

// Splits a word into pieces of a vocabulary.
class PieceModel {
 public:
  virtual ~PieceModel() = default;

  // Appends the ids of a word, which is not empty.
  virtual void Encode(const std::string& word, std::vector<int32_t>* ids) const = 0;

  // The pieces by their ids; an empty one is none.
  const std::vector<std::string>& pieces() const { return pieces_; }

 protected:
  explicit PieceModel(std::vector<std::string> pieces) : pieces_(std::move(pieces)) {}

 private:
  std::vector<std::string> pieces_;
};

// Reads the `model` of a `tokenizer.json`. Throws Error (kBadBundle) if it is damaged or of an
// unknown type.
std::unique_ptr<const PieceModel> ReadPieceModel(const json::Value& value);

// The pieces of a `vocab` by their ids, of an object of ids by piece. Throws Error (kBadBundle).
std::vector<std::string> ReadVocabulary(const SettingsReader& part);

// The ids of pieces that are not empty; of equal ones the last counts.
std::vector<Trie::Entry> PieceEntries(const std::vector<std::string>& pieces);

}  // namespace tfcompress

#endif  // TFCOMPRESS_TOKENIZER_PIECE_MODEL_H_
