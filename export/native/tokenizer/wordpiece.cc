#include "tokenizer/wordpiece.h"

#include "tokenizer/pieces.h"
#include "tokenizer/unicode.h"
#include "tokenizer/utf8.h"

namespace tfcompress {
namespace {

constexpr std::string_view kSuffix = "##";
constexpr size_t kLongestWord = 100;

bool IsSuffix(std::string_view piece) {
  return piece.size() > kSuffix.size() && piece.substr(0, kSuffix.size()) == kSuffix;
}

std::vector<Trie::Entry> Entries(const std::vector<std::string>& pieces, bool is_following) {
  std::vector<Trie::Entry> entries;
  for (size_t i = 0; i < pieces.size(); ++i) {
    std::string_view piece = pieces[i];
    if (is_following && !IsSuffix(piece)) continue;
    if (is_following) piece.remove_prefix(kSuffix.size());
    entries.emplace_back(piece, static_cast<int32_t>(i));
  }
  return entries;
}

// What a character does to the word before it.
enum class Role { kInWord, kAlone, kSkipped };

Role RoleOf(char32_t character, bool split_on_cjk) {
  if (character == ' ') return Role::kSkipped;
  const CharacterClass group = ClassOf(character);
  if (group == CharacterClass::kControl) return Role::kSkipped;
  const bool is_ascii_mark =
      character < 0x80 && group != CharacterClass::kLetter && group != CharacterClass::kNumber;
  const bool is_alone = is_ascii_mark || group == CharacterClass::kPunctuation ||
                        (split_on_cjk && IsChinese(character));
  return is_alone ? Role::kAlone : Role::kInWord;
}

}  // namespace

WordPiece::WordPiece(const TextSettings& settings, std::string_view vocabulary)
    : settings_(settings),
      pieces_(ReadPieces(vocabulary)),
      first_(Entries(pieces_, false)),
      following_(Entries(pieces_, true)),
      special_(SpecialEntries(settings, pieces_)) {}

void WordPiece::Encode(std::string_view text, std::vector<int32_t>* ids) const {
  const std::string plain = settings_.strip_accents ? RemoveAccents(text) : std::string(text);
  for (const auto& [part, id] : special_.Split(plain)) {
    if (id) {
      ids->push_back(*id);
    } else {
      EncodePart(part, ids);
    }
  }
}

void WordPiece::EncodePart(std::string_view text, std::vector<int32_t>* ids) const {
  std::string_view rest = text;
  const char* word = text.data();
  while (!rest.empty()) {
    const char* at = rest.data();
    const Role role = RoleOf(TakeCharacter(&rest), settings_.split_on_cjk);
    if (role == Role::kInWord) continue;
    EncodeWord({word, static_cast<size_t>(at - word)}, ids);
    word = rest.data();
    if (role == Role::kAlone) EncodeWord({at, static_cast<size_t>(word - at)}, ids);
  }
  EncodeWord({word, static_cast<size_t>(text.data() + text.size() - word)}, ids);
}

void WordPiece::EncodeWord(std::string_view word, std::vector<int32_t>* ids) const {
  const std::string folded = settings_.lowercase ? FoldCase(word) : std::string(word);
  if (folded.size() > kLongestWord) {
    ids->push_back(settings_.unk_id);
    return;
  }
  const size_t before = ids->size();
  for (std::string_view rest = folded; !rest.empty();) {
    const auto [size, id] = LongestPiece(rest.size() == folded.size() ? first_ : following_, rest);
    if (size == 0) {
      ids->resize(before);
      ids->push_back(settings_.unk_id);
      return;
    }
    ids->push_back(id);
    rest.remove_prefix(size);
  }
}

std::string WordPiece::Decode(const std::vector<int32_t>& ids) const {
  std::string text;
  for (const int32_t id : ids) {
    const std::string_view piece = pieces_[static_cast<size_t>(id)];
    if (!text.empty() && IsSuffix(piece)) {
      text += piece.substr(kSuffix.size());
    } else {
      if (!text.empty()) text += ' ';
      text += piece;
    }
  }
  return text;
}

}  // namespace tfcompress
