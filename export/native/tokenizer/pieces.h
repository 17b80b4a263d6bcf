#ifndef TFCOMPRESS_TOKENIZER_PIECES_H_
#define TFCOMPRESS_TOKENIZER_PIECES_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/text_settings.h"
#include "tokenizer/trie.h"

namespace tfcompress {

// The lines of a file, whose ends are "\n", "\r\n" or "\r", without the white space at their ends.
std::vector<std::string_view> ReadLines(std::string_view file);

// The pieces of a vocabulary, one a line. Throws Error (kBadBundle) if one is empty, twice there or
// no UTF-8.
std::vector<std::string> ReadPieces(std::string_view file);

// The special pieces that are recognized in texts.
std::vector<Trie::Entry> SpecialEntries(const TextSettings& settings,
                                        const std::vector<std::string>& pieces);

// The longest key of a trie that a text begins with, and its value; the size is 0 if there is none.
struct Prefix {
  size_t size;
  int32_t value;
};
Prefix LongestPiece(const Trie& trie, std::string_view text);

}  // namespace tfcompress

#endif  // TFCOMPRESS_TOKENIZER_PIECES_H_
