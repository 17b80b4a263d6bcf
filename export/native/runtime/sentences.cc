#include "runtime/sentences.h"

#include <algorithm>

#include "runtime/text_tables.h"

namespace tfcompress {
namespace {

using Text = std::u32string_view;

Role RoleOf(char32_t c) { return Properties(c).role(); }

bool IsIn(char32_t c, Text set) { return set.find(c) != Text::npos; }

size_t SkipQuotes(Text text, size_t at) {
  while (at < text.size() && IsQuote(text[at])) ++at;
  return at;
}

size_t SkipClosing(Text text, size_t at) {
  while (at < text.size() && RoleOf(text[at]) == Role::kClose) ++at;
  return at;
}

size_t SkipSpaces(Text text, size_t at) {
  while (at < text.size() && Properties(text[at]).is_space()) ++at;
  return at;
}

// Whether a character is a mark that may end a sentence.
bool Ends(Text text, size_t at) {
  const Role role = RoleOf(text[at]);
  if (role != Role::kHardEnd) return role == Role::kSoftEnd;
  // A full-width full stop may be a decimal point.
  const bool is_point = IsIn(text[at], U"\uff0e\ufe52") && at + 1 < text.size();
  return !(is_point && RoleOf(text[at + 1]) == Role::kDigit);
}

// Marks that stand together, the quotation marks and brackets after them, and what follows those
// and spaces.
struct Marks {
  size_t begin;
  size_t end;
  bool is_hard;
  size_t closed;
  size_t following;
};

Marks TakeMarks(Text text, size_t begin) {
  Marks marks = {begin, begin, false, 0, 0};
  for (; marks.end < text.size() && Ends(text, marks.end); ++marks.end) {
    marks.is_hard |= RoleOf(text[marks.end]) == Role::kHardEnd;
  }
  marks.closed = marks.is_hard ? SkipClosing(text, marks.end) : SkipQuotes(text, marks.end);
  marks.following = SkipSpaces(text, marks.closed);
  return marks;
}

bool IsHardEnd(Text text, const Marks& marks, bool doubtful) {
  // After a Japanese quotation, a particle shows that the sentence goes on.
  const bool is_quotation = marks.end < marks.closed && marks.closed == marks.following;
  const char32_t following = text[marks.following];
  return doubtful || !(is_quotation && following >= U'\u3041' && following <= U'\u3096');
}

bool IsOneOf(const Text* words, size_t count, Text word) {
  return std::binary_search(words, words + count, word);
}

bool IsInitial(Text word) {
  if (word.empty()) return false;
  const auto is_mark = [](char32_t c) { return Properties(c).is_mark(); };
  if (!std::all_of(word.begin() + 1, word.end(), is_mark)) return false;
  const char32_t letter = word[0];
  const Role role = RoleOf(letter);
  // Small letters beyond these may be whole words.
  const bool is_plain = letter < 0x80 || (letter >= 0x370 && letter < 0x530);
  return role == Role::kInitial || (role == Role::kSmall && is_plain);
}

size_t WordBegin(Text text, size_t end) {
  size_t begin = end;
  for (; begin > 0; --begin) {
    const Properties before(text[begin - 1]);
    if (before.is_space() || before.is_unspaced()) break;
  }
  return std::min(SkipQuotes(text, begin), end);
}

Text LastPart(Text word) {
  const size_t divider = word.find_last_of(U".-");
  return divider == Text::npos ? word : word.substr(divider + 1);
}

// Whether a number follows an abbreviation, as in "p. 5", and so is no ordinal.
bool IsNumbered(Text text, size_t begin) {
  size_t end = begin;
  while (end > 0 && Properties(text[end - 1]).is_space()) --end;
  if (end == begin || end == 0 || text[end - 1] != U'.') return false;
  const size_t word = WordBegin(text, end - 1);
  return IsOneOf(kNumbered, kNumberedSize, LastPart(text.substr(word, end - 1 - word)));
}

// Whether the full stop after a word ends no sentence.
bool IsAbbreviated(Text text, size_t end, Role next, bool doubtful) {
  const size_t begin = WordBegin(text, end);
  const Text word = text.substr(begin, end - begin);
  const auto is_digit = [](char32_t c) { return RoleOf(c) == Role::kDigit; };
  if ((word.size() == 1 || word.size() == 2) && std::all_of(word.begin(), word.end(), is_digit)) {
    return !doubtful && !IsNumbered(text, begin);
  }
  const Text last = LastPart(word);
  if (IsOneOf(kTitles, kTitlesSize, last)) return true;
  if (next == Role::kDigit && IsOneOf(kNumbered, kNumberedSize, last)) return true;
  return IsInitial(last);
}

bool IsSoftEnd(Text text, const Marks& marks, bool doubtful) {
  const bool is_full_stop = marks.end == marks.begin + 1 && text[marks.begin] == U'.';
  size_t following = marks.following;
  if (marks.closed == following) {
    // Marks of Latin script among characters that no spaces stand between.
    const Properties next(text[following]);
    if (!next.is_unspaced() || next.role() == Role::kDigit) return false;
    const bool is_after_unspaced =
        marks.begin > 0 && Properties(text[marks.begin - 1]).is_unspaced();
    const bool is_dot = IsIn(text[marks.end - 1], U".\u2024\u2026");
    return !is_dot || (is_full_stop && is_after_unspaced);
  }
  for (size_t after = following;; following = after) {
    after = SkipSpaces(text, SkipQuotes(text, following));
    if (after == following) break;
  }
  const Role next = following < text.size() ? RoleOf(text[following]) : Role::kOther;
  if (next == Role::kSmall && !doubtful) return false;
  return !(is_full_stop && marks.end == marks.closed &&
           IsAbbreviated(text, marks.begin, next, doubtful));
}

}  // namespace

bool IsQuote(char32_t character) {
  const Role role = RoleOf(character);
  return role == Role::kClose || role == Role::kOpen;
}

std::vector<size_t> SentenceBegins(Text text, bool doubtful) {
  std::vector<size_t> begins;
  for (size_t at = 0; at < text.size();) {
    if (!Ends(text, at)) {
      ++at;
      continue;
    }
    const Marks marks = TakeMarks(text, at);
    at = marks.end;
    if (marks.following == text.size()) break;
    const bool is_end =
        marks.is_hard ? IsHardEnd(text, marks, doubtful) : IsSoftEnd(text, marks, doubtful);
    if (is_end && !Properties(text[marks.following]).is_mark()) {
      at = marks.following;
      begins.push_back(at);
    }
  }
  return begins;
}

}  // namespace tfcompress
