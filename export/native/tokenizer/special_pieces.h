#ifndef TFCOMPRESS_TOKENIZER_SPECIAL_PIECES_H_
#define TFCOMPRESS_TOKENIZER_SPECIAL_PIECES_H_

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "tokenizer/trie.h"

namespace tfcompress {

// Splits texts at special pieces.
class SpecialPieces {
 public:
  // Pieces and their ids; no piece is empty or there twice.
  explicit SpecialPieces(const std::vector<Trie::Entry>& pieces) : trie_(pieces) {}

  // A part of a text that is a special piece, with its id, or that has none.
  struct Part {
    std::string_view text;
    std::optional<int32_t> id;
  };

  // The parts of a text; of several pieces at the same place, the longest counts.
  std::vector<Part> Split(std::string_view text) const;

 private:
  Trie trie_;
};

}  // namespace tfcompress

#endif  // TFCOMPRESS_TOKENIZER_SPECIAL_PIECES_H_
