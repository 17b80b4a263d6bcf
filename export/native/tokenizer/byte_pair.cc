#include "tokenizer/byte_pair.h"

#include <utility>

#include "tokenizer/byte_letters.h"
#include "tokenizer/gpt2_parts.h"
#include "tokenizer/pieces.h"
#include "tokenizer/unicode.h"

namespace tfcompress {
namespace {

constexpr int32_t kNone = -1;

std::vector<std::string> PiecesById(std::string_view file) {
  const json::Value value = json::Parse(file, "vocabulary.json");
  const auto* object = value.As<json::Object>();
  if (object == nullptr) BadTokenizer("its vocabulary is no JSON object");
  std::vector<std::string> pieces(object->size());
  for (const auto& [piece, number] : *object) {
    const int64_t* id = number.As<int64_t>();
    const bool is_id = id != nullptr && *id >= 0 && static_cast<size_t>(*id) < pieces.size();
    if (piece.empty() || !is_id || !pieces[static_cast<size_t>(*id)].empty()) {
      BadTokenizer("the piece \"" + piece + "\" of its vocabulary has no id of its own below " +
                   std::to_string(pieces.size()));
    }
    pieces[static_cast<size_t>(*id)] = piece;
  }
  return pieces;
}

Group GroupOf(char32_t character) {
  if (IsWhiteSpace(character)) return Group::kSpace;
  const CharacterClass group = ClassOf(character);
  if (group == CharacterClass::kLetter) return Group::kLetter;
  return group == CharacterClass::kNumber ? Group::kNumber : Group::kOther;
}

}  // namespace

BytePair::BytePair(const TextSettings& settings, std::string_view vocabulary,
                   std::string_view merges)
    : settings_(settings),
      pieces_(PiecesById(vocabulary)),
      special_(SpecialEntries(settings, pieces_)) {
  std::unordered_map<std::string_view, int32_t> ids;
  for (int32_t id = 0; id < size(); ++id) ids.emplace(pieces_[static_cast<size_t>(id)], id);
  const auto letters = ByteLetters();
  for (size_t byte = 0; byte < letters.size(); ++byte) {
    std::string letter;
    AppendUtf8(letters[byte], &letter);
    const auto it = ids.find(letter);
    byte_ids_[byte] = it == ids.end() ? kNone : it->second;
    if (it == ids.end() && settings.unk_id < 0) {
      BadTokenizer("its vocabulary lacks the byte " + std::to_string(byte));
    }
  }
  ReadMerges(merges, ids);
}

void BytePair::ReadMerges(std::string_view file,
                          const std::unordered_map<std::string_view, int32_t>& ids) {
  constexpr std::string_view kVersion = "#version:";
  int32_t rank = 0;
  for (const std::string_view line : ReadLines(file)) {
    if (line.empty() || line.substr(0, kVersion.size()) == kVersion) continue;
    const std::string place = "merge " + std::to_string(rank);
    const size_t space = line.find(' ');
    if (space == std::string_view::npos || line.find(' ', space + 1) != std::string_view::npos) {
      BadTokenizer(place + " is no pair");
    }
    const auto left = ids.find(line.substr(0, space));
    const auto right = ids.find(line.substr(space + 1));
    if (left == ids.end() || right == ids.end()) {
      BadTokenizer(place + " names a piece that the vocabulary lacks");
    }
    const std::string merged = std::string(left->first) + std::string(right->first);
    const auto piece = ids.find(merged);
    if (piece == ids.end()) BadTokenizer(place + " makes a piece that the vocabulary lacks");
    if (!merges_.Add(left->second, right->second, rank++, piece->second)) {
      BadTokenizer(place + " is there twice");
    }
  }
}

void BytePair::Encode(std::string_view text, std::vector<int32_t>* ids) const {
  for (const auto& [part, id] : special_.Split(text)) {
    if (id) {
      ids->push_back(*id);
      continue;
    }
    const bool is_prefixed = settings_.add_prefix_space && part[0] != ' ';
    const std::string whole = is_prefixed ? " " + std::string(part) : std::string(part);
    for (std::string_view rest = whole; !rest.empty();) {
      const size_t size = Gpt2PartSize(rest, GroupOf);
      EncodeWord(rest.substr(0, size), ids);
      rest.remove_prefix(size);
    }
  }
}

void BytePair::EncodeWord(std::string_view word, std::vector<int32_t>* ids) const {
  std::vector<int32_t> symbols;
  for (const char byte : word) symbols.push_back(byte_ids_[static_cast<uint8_t>(byte)]);
  for (const int32_t id : merges_.Apply(symbols, false)) {
    ids->push_back(id == kNone ? settings_.unk_id : id);
  }
}

std::string BytePair::Decode(const std::vector<int32_t>& ids) const {
  std::string bytes;
  for (const int32_t id : ids) bytes += LetterBytes(pieces_[static_cast<size_t>(id)]);
  return ValidText(bytes);
}

}  // namespace tfcompress
