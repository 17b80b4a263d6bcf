#include "tokenizer/charsmap.h"

#include "tokenizer/model_proto.h"

namespace tfcompress {
namespace {

// Far above what any true normalization writes for one match.
constexpr size_t kLongestText = 4096;

// The trie is stored in blocks of 256 units of 4 bytes.
constexpr uint32_t kBlockSize = 1024;

// The parts of a unit. A leaf holds a value; any other unit a label, whether a key ends there (the
// leaf is then where a child of label 0 would be), and how far its children are.
bool IsLeaf(uint32_t unit) { return unit >> 31 != 0; }
uint32_t Value(uint32_t unit) { return unit & 0x7FFFFFFF; }
bool EndsKey(uint32_t unit) { return (unit >> 8 & 1) != 0; }
uint32_t Offset(uint32_t unit) { return (unit >> 10) << ((unit & 0x200) >> 6); }

// A leaf's label is no byte.
uint32_t Label(uint32_t unit) { return unit & 0x800000FF; }

uint32_t ReadUnit(std::string_view bytes) {
  uint32_t unit = 0;
  for (size_t i = 4; i-- > 0;) unit = unit << 8 | static_cast<uint8_t>(bytes[i]);
  return unit;
}

}  // namespace

Charsmap::Charsmap(std::string_view blob) {
  if (blob.size() <= 4) BadModel("the normalization map is truncated");
  const uint32_t trie_size = ReadUnit(blob);
  blob.remove_prefix(4);
  if (trie_size == 0 || trie_size % kBlockSize != 0 || trie_size >= blob.size()) {
    BadModel("the normalization trie has " + std::to_string(trie_size) + " of " +
             std::to_string(blob.size()) + " bytes");
  }
  if (blob.back() != '\0') BadModel("the last normalized text has no end");
  texts_ = blob.substr(trie_size);
  for (size_t begin = 0; begin < texts_.size();) {
    const size_t end = texts_.find('\0', begin);
    if (end - begin > kLongestText) BadModel("a normalized text is too long");
    begin = end + 1;
  }
  units_.reserve(trie_size / 4);
  for (size_t i = 0; i < trie_size; i += 4) units_.push_back(ReadUnit(blob.substr(i, 4)));
  CheckUnits();
}

// Ensures that no child of a unit that is no leaf lies outside the array, and that a key that ends
// has a leaf whose value is a place in `texts_`.
void Charsmap::CheckUnits() const {
  const uint32_t root = units_[0];
  bool good = Label(root) == 0 && !EndsKey(root) && Offset(root) != 0;
  for (size_t i = 0; i < units_.size() && good; ++i) {
    const uint32_t unit = units_[i];
    if (IsLeaf(unit)) {
      good = Value(unit) < texts_.size();
    } else {
      const size_t children = i ^ Offset(unit);
      good = (children | 0xFF) < units_.size() && (!EndsKey(unit) || IsLeaf(units_[children]));
    }
  }
  if (!good) BadModel("the normalization trie is damaged");
}

Replacement Charsmap::Find(std::string_view text, int most) const {
  Replacement replacement;
  if (units_.empty()) return replacement;
  size_t children = Offset(units_[0]);
  int matches = 0;
  for (size_t i = 0; i < text.size() && matches < most; ++i) {
    const auto byte = static_cast<uint8_t>(text[i]);
    const size_t place = children ^ byte;
    const uint32_t unit = units_[place];
    if (Label(unit) != byte) break;
    children = place ^ Offset(unit);
    if (!EndsKey(unit)) continue;
    ++matches;
    replacement = {i + 1, texts_.c_str() + Value(units_[children])};
  }
  return replacement;
}

}  // namespace tfcompress
