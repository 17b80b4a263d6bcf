#include "tokenizer/byte_pair.h"

#include <queue>
#include <utility>

#include "tokenizer/pieces.h"
#include "tokenizer/unicode.h"
#include "tokenizer/utf8.h"

namespace tfcompress {
namespace {

constexpr int32_t kNone = -1;
constexpr char32_t kLetters = 0x180;

// The printable character that stands for each byte in vocabularies.
std::array<char32_t, 256> ByteLetters() {
  std::array<char32_t, 256> letters;
  char32_t hidden = 256;
  for (uint32_t byte = 0; byte < 256; ++byte) {
    const bool is_shown =
        (byte >= 0x21 && byte < 0x7F) || (byte >= 0xA1 && byte < 0xAD) || byte >= 0xAE;
    letters[byte] = is_shown ? char32_t{byte} : hidden++;
  }
  return letters;
}

// The byte that each of the first characters stands for, or kNone.
const std::array<int32_t, kLetters>& LetterBytes() {
  static const auto bytes = [] {
    std::array<int32_t, kLetters> found;
    found.fill(kNone);
    const auto letters = ByteLetters();
    for (int32_t byte = 0; byte < 256; ++byte) found[letters[static_cast<size_t>(byte)]] = byte;
    return found;
  }();
  return bytes;
}

std::vector<std::string> PiecesById(std::string_view file) {
  const json::Value value = json::Parse(file);
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

uint64_t PairKey(int32_t left, int32_t right) {
  return uint64_t{static_cast<uint32_t>(left)} << 32 | static_cast<uint32_t>(right);
}

enum class Group { kLetter, kNumber, kSpace, kOther };

Group GroupOf(char32_t character) {
  if (IsWhiteSpace(character)) return Group::kSpace;
  const CharacterClass group = ClassOf(character);
  if (group == CharacterClass::kLetter) return Group::kLetter;
  return group == CharacterClass::kNumber ? Group::kNumber : Group::kOther;
}

// How many bytes at the begin of a text have one group, and the start of the last character there.
struct Run {
  size_t size;
  size_t last;
};

Run RunOf(Group group, std::string_view text) {
  Run run = {0, 0};
  for (std::string_view rest = text; !rest.empty();) {
    const size_t at = text.size() - rest.size();
    if (GroupOf(TakeCharacter(&rest)) != group) break;
    run = {text.size() - rest.size(), at};
  }
  return run;
}

// The size of the part that GPT-2 splits off at the begin of a text, which is not empty.
size_t PartSize(std::string_view text) {
  for (const std::string_view ending : {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"}) {
    if (text.substr(0, ending.size()) == ending) return ending.size();
  }
  const size_t space = text[0] == ' ' ? 1 : 0;
  if (text.size() > space) {
    std::string_view first = text.substr(space);
    const Group group = GroupOf(TakeCharacter(&first));
    if (group != Group::kSpace) return space + RunOf(group, text.substr(space)).size;
  }
  // Of several spaces before something else, the last belongs to what follows.
  const Run run = RunOf(Group::kSpace, text);
  return run.size == text.size() || run.last == 0 ? run.size : run.last;
}

// A piece in a linked list; one that was merged into its left neighbour has no id.
struct Symbol {
  int32_t id;
  int32_t previous;
  int32_t next;
};

// Two neighbours that may be merged, as they were when this was noted.
struct Candidate {
  int32_t rank;
  int32_t left;
  int32_t left_id;
  int32_t right_id;

  bool operator<(const Candidate& other) const {
    return rank != other.rank ? rank > other.rank : left > other.left;
  }
};

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
    const auto found = ids.find(letter);
    byte_ids_[byte] = found == ids.end() ? kNone : found->second;
    if (found == ids.end() && settings.unk_id < 0) {
      BadTokenizer("its vocabulary lacks the byte " + std::to_string(byte));
    }
  }
  ReadMerges(merges, ids);
}

void BytePair::ReadMerges(std::string_view file,
                          const std::unordered_map<std::string_view, int32_t>& ids) {
  constexpr std::string_view kVersion = "#version:";
  for (const std::string_view line : ReadLines(file)) {
    if (line.empty() || line.substr(0, kVersion.size()) == kVersion) continue;
    const auto rank = static_cast<int32_t>(merges_.size());
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
    const auto made = ids.find(merged);
    if (made == ids.end()) BadTokenizer(place + " makes a piece that the vocabulary lacks");
    if (!merges_.emplace(PairKey(left->second, right->second), Merge{rank, made->second}).second) {
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
      const size_t size = PartSize(rest);
      EncodeWord(rest.substr(0, size), ids);
      rest.remove_prefix(size);
    }
  }
}

const BytePair::Merge* BytePair::FindMerge(int32_t left, int32_t right) const {
  const auto found = merges_.find(PairKey(left, right));
  return found == merges_.end() ? nullptr : &found->second;
}

void BytePair::EncodeWord(std::string_view word, std::vector<int32_t>* ids) const {
  std::vector<Symbol> symbols;
  for (const char byte : word) {
    const auto index = static_cast<int32_t>(symbols.size());
    symbols.push_back({byte_ids_[static_cast<uint8_t>(byte)], index - 1, index + 1});
  }
  symbols.back().next = kNone;
  const auto symbol = [&](int32_t index) -> Symbol& { return symbols[static_cast<size_t>(index)]; };
  std::priority_queue<Candidate> candidates;
  const auto note = [&](int32_t left, int32_t right) {
    if (left == kNone || right == kNone) return;
    const int32_t left_id = symbol(left).id;
    const int32_t right_id = symbol(right).id;
    if (const Merge* merge = FindMerge(left_id, right_id)) {
      candidates.push({merge->rank, left, left_id, right_id});
    }
  };
  std::vector<bool> is_merged(symbols.size());
  for (int32_t i = 1; i < static_cast<int32_t>(symbols.size()); ++i) note(i - 1, i);
  while (!candidates.empty()) {
    const Candidate best = candidates.top();
    candidates.pop();
    Symbol& left = symbol(best.left);
    const int32_t right = left.next;
    const bool is_current = !is_merged[static_cast<size_t>(best.left)] && right != kNone &&
                            left.id == best.left_id && symbol(right).id == best.right_id;
    if (!is_current) continue;
    left.id = FindMerge(best.left_id, best.right_id)->id;
    is_merged[static_cast<size_t>(right)] = true;
    left.next = symbol(right).next;
    if (left.next != kNone) symbol(left.next).previous = best.left;
    note(left.previous, best.left);
    note(best.left, left.next);
  }
  for (int32_t i = 0; i != kNone; i = symbol(i).next) {
    ids->push_back(symbol(i).id == kNone ? settings_.unk_id : symbol(i).id);
  }
}

std::string BytePair::Decode(const std::vector<int32_t>& ids) const {
  std::string bytes;
  for (const int32_t id : ids) {
    const std::string& piece = pieces_[static_cast<size_t>(id)];
    std::string found;
    for (std::string_view rest = piece; !rest.empty();) {
      const char32_t letter = TakeCharacter(&rest);
      const int32_t byte = letter < kLetters ? LetterBytes()[letter] : kNone;
      if (byte == kNone) {
        found = piece;
        break;
      }
      found += static_cast<char>(byte);
    }
    bytes += found;
  }
  return ValidText(bytes);
}

}  // namespace tfcompress
