#include "runtime/constraints.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include "common/error.h"
#include "runtime/characters.h"
#include "runtime/ids.h"
#include "tokenizer/unicode.h"
#include "tokenizer/utf8.h"

namespace tfcompress {
namespace {

using Ids = std::vector<int32_t>;
using Code = Error::Code;

// The longest character in UTF-8.
constexpr size_t kCharacter = 4;

void CheckIds(const Ids& ids, const DecoderBundle& bundle) {
  CheckRange(ids, bundle.target_vocabulary, "Ids of the vocabulary",
             "Use the tokenizer of this bundle");
  RefuseId(ids, bundle.ids.eos, "the end id");
  RefuseId(ids, bundle.ids.bos, "the begin id");
  RefuseId(ids, bundle.ids.pad, "padding");
}

[[noreturn]] void FailEmpty() {
  throw Error(Code::kInvalidArgument, "A banned word must have text", "none", "Leave it out");
}

// The character that a text begins with; nothing where there is none, or bytes that are none.
std::optional<char32_t> First(std::string_view text) {
  if (text.empty() || ValidCharacterSize(text) == 0) return std::nullopt;
  return TakeCharacter(&text);
}

// The character that a text ends with.
std::optional<char32_t> Last(std::string_view text) {
  for (size_t size = 1; size <= std::min(kCharacter, text.size()); ++size) {
    std::string_view end = text.substr(text.size() - size);
    if (ValidCharacterSize(end) == size) return TakeCharacter(&end);
  }
  return std::nullopt;
}

bool IsOfWord(std::optional<char32_t> character) {
  if (!character || Properties(*character).is_unspaced()) return false;
  const CharacterClass is = ClassOf(*character);
  return is == CharacterClass::kLetter || is == CharacterClass::kNumber ||
         Properties(*character).is_mark();
}

// Whether a word ends in a text behind the bytes that are known.
bool IsCompleted(std::string_view word, std::string_view text, size_t known) {
  size_t begin = known + 1 > word.size() ? known + 1 - word.size() : 0;
  for (; (begin = text.find(word, begin)) != text.npos; ++begin) {
    const std::string_view before = text.substr(0, begin), after = text.substr(begin + word.size());
    const bool is_joined = (IsOfWord(Last(before)) && IsOfWord(First(word))) ||
                           (IsOfWord(Last(word)) && IsOfWord(First(after)));
    if (!is_joined) return true;
  }
  return false;
}

}  // namespace

void Constraints::Check(const DecoderBundle& bundle) const {
  CheckIds(target_prefix, bundle);
  for (const Ids& ids : banned_ids) {
    CheckIds(ids, bundle);
    if (ids.empty()) FailEmpty();
  }
  for (const std::string& word : banned_words) {
    CheckUtf8(word);
    if (IsBlank(word)) FailEmpty();
  }
}

Bans::Bans(const Constraints& constraints, const Tokenizer* tokenizer)
    : sequences_(constraints.banned_ids), tokenizer_(tokenizer) {
  for (const std::string& word : constraints.banned_words) {
    // As translations spell it; what they cannot have needs no ban.
    const Ids ids = tokenizer->EncodeWithoutAffixes(word);
    const auto is_unknown = [&](int32_t id) { return tokenizer->IsUnknown(id); };
    if (std::any_of(ids.begin(), ids.end(), is_unknown)) continue;
    std::string spelled = tokenizer->Decode(ids);
    if (!spelled.empty()) words_.push_back(std::move(spelled));
  }
}

void Bans::CheckPrefix(const Ids& prefix) const {
  for (auto it = prefix.begin(); it != prefix.end(); ++it) {
    if (!After(*this, {prefix.begin(), it}).Forbids(*it)) continue;
    throw Error(Code::kInvalidArgument, "`target_prefix` must have none of `banned_words`",
                "one at token " + std::to_string(it - prefix.begin()), "Change one of them");
  }
}

std::string Bans::Surface(int32_t token) const {
  // A model's vocabulary may be padded beyond the tokenizer's.
  return token < tokenizer_->size() ? tokenizer_->Surface(token) : std::string();
}

Bans::After::After(const Bans& bans, const Ids& ids) : bans_(bans) {
  for (const Ids& sequence : bans.sequences_) {
    const size_t rest = sequence.size() - 1;
    if (rest > ids.size()) continue;
    if (std::equal(sequence.begin(), sequence.end() - 1,
                   ids.end() - static_cast<ptrdiff_t>(rest))) {
      last_.insert(sequence.back());
    }
  }
  size_t longest = 0;
  for (const std::string& word : bans.words_) longest = std::max(longest, word.size());
  for (auto it = ids.rbegin(); longest > 0 && it != ids.rend(); ++it) {
    if (before_.size() >= longest + kCharacter) break;
    before_ = bans.Surface(*it) + before_;
  }
}

bool Bans::After::Forbids(int32_t token) const {
  if (last_.count(token) > 0) return true;
  if (bans_.words_.empty()) return false;
  const std::string piece = bans_.Surface(token);
  if (piece.empty()) return false;
  const std::string text = before_ + piece;
  return std::any_of(bans_.words_.begin(), bans_.words_.end(), [&](const std::string& word) {
    return IsCompleted(word, text, before_.size());
  });
}

}  // namespace tfcompress
