#include "tokenizer/published_wordpiece.h"

#include <string_view>

#include "tokenizer/pieces.h"
#include "tokenizer/utf8.h"

namespace tfcompress {
namespace {

// What follows the mark in the pieces that have it, and in more than it.
std::vector<Trie::Entry> Following(std::vector<Trie::Entry> entries, std::string_view mark) {
  std::vector<Trie::Entry> following;
  for (auto [piece, id] : entries) {
    if (ConsumePrefix(mark, &piece) && !piece.empty()) following.emplace_back(piece, id);
  }
  return following;
}

size_t CountCharacters(std::string_view text) {
  size_t count = 0;
  for (const char byte : text) count += (static_cast<uint8_t>(byte) & 0xC0) != 0x80;
  return count;
}

}  // namespace

PublishedWordPiece::PublishedWordPiece(const SettingsReader& part)
    : PieceModel(ReadVocabulary(part)),
      first_(PieceEntries(pieces())),
      following_(Following(PieceEntries(pieces()), part.Text("continuing_subword_prefix"))),
      longest_word_(static_cast<size_t>(part.Id("max_input_chars_per_word"))),
      unknown_id_(first_.Find(part.Text("unk_token"))) {
  if (unknown_id_ == Trie::kNoValue) BadTokenizer("its vocabulary lacks " + part.Text("unk_token"));
}

void PublishedWordPiece::Encode(const std::string& word, std::vector<int32_t>* ids) const {
  const size_t before = ids->size();
  std::string_view rest = word;
  bool is_known = CountCharacters(word) <= longest_word_;
  while (is_known && !rest.empty()) {
    const auto [size, id] = LongestPiece(rest.size() == word.size() ? first_ : following_, rest);
    is_known = size > 0;
    if (is_known) ids->push_back(id);
    rest.remove_prefix(size);
  }
  if (is_known) return;
  ids->resize(before);
  ids->push_back(unknown_id_);
}

}  // namespace tfcompress
