#ifndef TFCOMPRESS_TOKENIZER_MERGES_H_
#define TFCOMPRESS_TOKENIZER_MERGES_H_

#include <cstdint>
#include <unordered_map>
#include <vector>

namespace tfcompress {

// Merges neighbours in a row of ids, of all pairs that may be merged the one of the lowest rank
// first, and of equal ones the leftmost.
class Merges {
 public:
  // Adds a pair, which becomes `merged`; false if it is there already, and then it is changed.
  bool Add(int32_t left, int32_t right, int32_t rank, int32_t merged);

  // Merges a row. A pair noted earlier may in the meantime have become another pair: it still
  // counts if `by_result` and the same piece comes of it.
  std::vector<int32_t> Apply(const std::vector<int32_t>& ids, bool by_result) const;

 private:
  struct Merge {
    int32_t rank;
    int32_t merged;
  };

  const Merge* Find(int32_t left, int32_t right) const;

  std::unordered_map<uint64_t, Merge> merges_;
};

}  // namespace tfcompress

#endif  // TFCOMPRESS_TOKENIZER_MERGES_H_
