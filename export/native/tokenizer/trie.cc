#include "tokenizer/trie.h"

#include <algorithm>

namespace tfcompress {
namespace {

// The sorted keys that pass through a node, and the size of their common prefix there.
struct Range {
  size_t begin;
  size_t end;
  size_t length;
};

}  // namespace

Trie::Trie(std::vector<Entry> entries) {
  std::sort(entries.begin(), entries.end());
  std::vector<Range> ranges = {{0, entries.size(), 0}};
  labels_.push_back('\0');
  for (size_t node = 0; node < ranges.size(); ++node) {
    auto [begin, end, length] = ranges[node];
    const bool is_key = begin < end && entries[begin].first.size() == length;
    values_.push_back(is_key ? entries[begin++].second : kNoValue);
    first_children_.push_back(static_cast<uint32_t>(ranges.size()));
    while (begin < end) {
      const char label = entries[begin].first[length];
      size_t next = begin + 1;
      while (next < end && entries[next].first[length] == label) ++next;
      labels_.push_back(label);
      ranges.push_back({begin, next, length + 1});
      begin = next;
    }
  }
  first_children_.push_back(static_cast<uint32_t>(ranges.size()));
}

int32_t Trie::Find(std::string_view key) const {
  uint32_t node = kRoot;
  for (const char byte : key) {
    node = Child(node, byte);
    if (node == kRoot) return kNoValue;
  }
  return value(node);
}

size_t Trie::LongestPrefix(std::string_view text, int most) const {
  size_t longest = 0;
  uint32_t node = kRoot;
  for (size_t i = 0; i < text.size() && most > 0; ++i) {
    node = Child(node, text[i]);
    if (node == kRoot) break;
    if (value(node) == kNoValue) continue;
    longest = i + 1;
    --most;
  }
  return longest;
}

}  // namespace tfcompress
