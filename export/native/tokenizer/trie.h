#ifndef TFCOMPRESS_TOKENIZER_TRIE_H_
#define TFCOMPRESS_TOKENIZER_TRIE_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tfcompress {

// Finds the keys that a text begins with. Nodes are numbered breadth first, so that the children of
// a node follow one another and end where the next node's children begin.
class Trie {
 public:
  // A key and its value, which is not negative.
  using Entry = std::pair<std::string_view, int32_t>;

  static constexpr uint32_t kRoot = 0;
  static constexpr int32_t kNoValue = -1;

  // Builds the trie; keys are distinct and not empty.
  explicit Trie(std::vector<Entry> entries = {});

  // The node that a byte leads to; kRoot if there is none.
  uint32_t Child(uint32_t node, char byte) const {
    const size_t first = first_children_[node];
    const size_t count = first_children_[node + 1] - first;
    if (count == 0) return kRoot;
    const void* at = std::memchr(labels_.data() + first, byte, count);
    if (at == nullptr) return kRoot;
    return static_cast<uint32_t>(static_cast<const char*>(at) - labels_.data());
  }

  // The value of the key that ends at a node; kNoValue if none does.
  int32_t value(uint32_t node) const { return values_[node]; }

  // The value of a key; kNoValue if the trie does not have it.
  int32_t Find(std::string_view key) const;

  // The size of the longest key that the text begins with, among the `most` shortest such keys;
  // 0 if there is none.
  size_t LongestPrefix(std::string_view text, int most) const;

 private:
  std::string labels_;
  std::vector<int32_t> values_;
  std::vector<uint32_t> first_children_;
};

}  // namespace tfcompress

#endif  // TFCOMPRESS_TOKENIZER_TRIE_H_
