#include "tokenizer/special_pieces.h"

#include <climits>

namespace tfcompress {

std::vector<SpecialPieces::Part> SpecialPieces::Split(std::string_view text) const {
  std::vector<Part> parts;
  size_t begin = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t size = trie_.LongestPrefix(text.substr(at), INT_MAX);
    if (size == 0) {
      ++at;
      continue;
    }
    if (at > begin) parts.push_back({text.substr(begin, at - begin), std::nullopt});
    parts.push_back({text.substr(at, size), trie_.Find(text.substr(at, size))});
    at += size;
    begin = at;
  }
  if (begin < text.size()) parts.push_back({text.substr(begin), std::nullopt});
  return parts;
}

}  // namespace tfcompress
