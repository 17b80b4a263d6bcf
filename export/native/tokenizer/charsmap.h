#ifndef TFCOMPRESS_TOKENIZER_CHARSMAP_H_
#define TFCOMPRESS_TOKENIZER_CHARSMAP_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tfcompress {

// What a text begins with, and what to write instead.
struct Replacement {
  size_t size = 0;
  std::string_view text;
};

// The replacements of a `precompiled_charsmap`: a double-array trie of the texts to replace, whose
// values are places in one string of texts that each end with a zero byte.
class Charsmap {
 public:
  // Has no replacements.
  Charsmap() = default;
  // Reads the map and checks it as a whole. Throws Error (kBadBundle).
  explicit Charsmap(std::string_view blob);

  // The replacement of the longest known text that `text` begins with, among the `most` shortest
  // such texts; of size 0 if there is none.
  Replacement Find(std::string_view text, int most = kMostMatches) const;

  bool empty() const { return units_.empty(); }

 private:
  // SentencePiece looks no further than the 32nd text that fits.
  static constexpr int kMostMatches = 32;

  void CheckUnits() const;

  std::vector<uint32_t> units_;
  std::string texts_;
};

}  // namespace tfcompress

#endif  // TFCOMPRESS_TOKENIZER_CHARSMAP_H_
