#include "tokenizer/normalizer.h"

#include "tokenizer/utf8.h"

namespace tfcompress {
namespace {

// SentencePiece looks no further than the 64th user-defined symbol that fits.
constexpr int kMostKept = 64;

// Far above what any true normalization needs (NFKC: 13 times the size), so that a damaged model
// cannot take all memory.
constexpr size_t kMostGrowth = 64;
constexpr size_t kMostFixedGrowth = size_t{1} << 20;

bool EndsWith(std::string_view text, std::string_view suffix) {
  return text.size() >= suffix.size() && text.substr(text.size() - suffix.size()) == suffix;
}

}  // namespace

Normalizer::Normalizer(const NormalizerProto& proto, bool whitespace_as_suffix)
    : charsmap_(proto.charsmap.empty() ? Charsmap() : Charsmap(proto.charsmap)),
      space_(proto.escape_whitespaces ? kSpaceSymbol : " "),
      add_prefix_(proto.add_dummy_prefix && !whitespace_as_suffix),
      add_suffix_(proto.add_dummy_prefix && whitespace_as_suffix),
      remove_extra_whitespaces_(proto.remove_extra_whitespaces) {}

std::string Normalizer::Normalize(std::string_view text, const Trie& kept,
                                  std::vector<size_t>* origins) const {
  const size_t most = kMostGrowth * text.size() + kMostFixedGrowth;
  std::string normalized;
  size_t origin = 0;
  const auto note = [&] {
    if (origins != nullptr) origins->resize(normalized.size(), origin);
  };
  if (origins != nullptr) origins->clear();
  bool any = false;
  bool drop_spaces = remove_extra_whitespaces_;
  for (size_t size = 0; !text.empty(); text.remove_prefix(size), origin += size) {
    Replacement next = Next(text, kept);
    size = next.size;
    if (!any && remove_extra_whitespaces_ && next.text == " ") continue;
    if (!any && add_prefix_) normalized += space_;
    any = true;
    while (drop_spaces && ConsumePrefix(" ", &next.text)) {
    }
    for (const char c : next.text) {
      if (c == ' ') {
        normalized += space_;
      } else {
        normalized += c;
      }
    }
    note();
    if (!next.text.empty()) drop_spaces = remove_extra_whitespaces_ && next.text.back() == ' ';
    if (normalized.size() > most) BadModel("it makes a text more than 64 times as long");
  }
  if (any && remove_extra_whitespaces_) {
    while (EndsWith(normalized, space_)) {
      normalized.resize(normalized.size() - space_.size());
      if (origins == nullptr) continue;
      origin = (*origins)[normalized.size()];
      origins->resize(normalized.size());
    }
  }
  if (any && add_suffix_) normalized += space_;
  note();
  if (origins != nullptr) origins->push_back(origin);
  return normalized;
}

// What the text begins with, and what it becomes.
Replacement Normalizer::Next(std::string_view text, const Trie& kept) const {
  if (const size_t size = kept.LongestPrefix(text, kMostKept)) return {size, text.substr(0, size)};
  if (const Replacement replacement = charsmap_.Find(text); replacement.size != 0) {
    return replacement;
  }
  if (const size_t size = ValidCharacterSize(text)) return {size, text.substr(0, size)};
  return {1, kReplacementCharacter};
}

}  // namespace tfcompress
