#include "tokenizer/pieces.h"

#include <algorithm>
#include <unordered_set>

#include "tokenizer/unicode.h"
#include "tokenizer/utf8.h"

namespace tfcompress {
namespace {

// What Python's str.rstrip removes.
bool IsStripped(char32_t character) {
  return IsWhiteSpace(character) || (character >= 0x1C && character <= 0x1F);
}

std::string_view Stripped(std::string_view line) {
  size_t kept = 0;
  for (std::string_view rest = line; !rest.empty();) {
    if (!IsStripped(TakeCharacter(&rest))) kept = line.size() - rest.size();
  }
  return line.substr(0, kept);
}

}  // namespace

std::vector<std::string_view> ReadLines(std::string_view file) {
  if (FindInvalidUtf8(file) != std::string_view::npos) {
    BadTokenizer("a file is no UTF-8 at byte " + std::to_string(FindInvalidUtf8(file)));
  }
  std::vector<std::string_view> lines;
  while (!file.empty()) {
    const size_t end = std::min(file.find_first_of("\r\n"), file.size());
    lines.push_back(Stripped(file.substr(0, end)));
    file.remove_prefix(end);
    if (!ConsumePrefix("\r\n", &file) && !file.empty()) file.remove_prefix(1);
  }
  return lines;
}

std::vector<std::string> ReadPieces(std::string_view file) {
  std::vector<std::string> pieces;
  std::unordered_set<std::string_view> known;
  for (const std::string_view piece : ReadLines(file)) {
    const std::string place = "piece " + std::to_string(pieces.size());
    if (piece.empty()) BadTokenizer(place + " is empty");
    if (!known.insert(piece).second) BadTokenizer(place + " is there twice");
    pieces.emplace_back(piece);
  }
  return pieces;
}

std::vector<Trie::Entry> SpecialEntries(const TextSettings& settings,
                                        const std::vector<std::string>& pieces) {
  if (!settings.special_in_text) return {};
  std::vector<int32_t> ids = {settings.pad_id, settings.start_id, settings.end_id};
  ids.insert(ids.end(), settings.special_ids.begin(), settings.special_ids.end());
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  std::vector<Trie::Entry> entries;
  for (const int32_t id : ids) {
    // Ids out of range are told of when the whole tokenizer is checked.
    const auto place = static_cast<size_t>(id);
    if (place < pieces.size()) entries.emplace_back(pieces[place], id);
  }
  return entries;
}

Prefix LongestPiece(const Trie& trie, std::string_view text) {
  Prefix longest = {0, Trie::kNoValue};
  uint32_t node = Trie::kRoot;
  for (size_t i = 0; i < text.size(); ++i) {
    node = trie.Child(node, text[i]);
    if (node == Trie::kRoot) break;
    if (trie.value(node) != Trie::kNoValue) longest = {i + 1, trie.value(node)};
  }
  return longest;
}

}  // namespace tfcompress
