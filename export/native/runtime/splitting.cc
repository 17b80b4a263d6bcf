#include "runtime/splitting.h"

#include <algorithm>
#include <cstdint>
#include <optional>

#include "tokenizer/utf8.h"

namespace tfcompress {
namespace {

using Text = std::u32string_view;

bool IsSpace(char32_t c) {
  return (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x20) || c == 0x85 || c == 0xA0 ||
         c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F ||
         c == 0x205F || c == 0x3000;
}

bool IsIn(char32_t c, Text set) { return set.find(c) != Text::npos; }

size_t SkipSpaces(Text text, size_t at) {
  while (at < text.size() && IsSpace(text[at])) ++at;
  return at;
}

size_t Skip(Text text, size_t at, Text set) {
  while (at < text.size() && IsIn(text[at], set)) ++at;
  return at;
}

// Where a match that begins here ends; the same place if none does.
size_t EndOfSentence(Text text, size_t at) {
  // A full stop, exclamation or question mark or ellipsis, closing quotes and brackets, a space;
  if (IsIn(text[at], U".!?\u2026")) {
    const size_t closed = Skip(text, at + 1, U"\"'\u201d\u2019\u00bb)]");
    const size_t end = SkipSpaces(text, closed);
    return end > closed ? end : at;
  }
  // or the full-width marks of Chinese and Japanese, which no space follows.
  const size_t marks = Skip(text, at, U"\u3002\uff01\uff1f");
  return marks > at ? Skip(text, marks, U"\u300d\u300f\u201d") : at;
}

size_t EndOfSpaces(Text text, size_t at) { return SkipSpaces(text, at); }

template <typename Match>
std::optional<size_t> CutNearestToMiddle(Text text, Match match) {
  const auto middle = static_cast<int64_t>(text.size() / 2);
  const auto distance = [middle](size_t cut) {
    return std::abs(static_cast<int64_t>(cut) - middle);
  };
  std::optional<size_t> best;
  for (size_t at = 0; at < text.size();) {
    const size_t end = match(text, at);
    if (end == at) {
      ++at;
      continue;
    }
    if (end < text.size() && (!best || distance(end) < distance(*best))) best = end;
    at = end;
  }
  return best;
}

size_t MiddleCut(Text text) {
  if (const auto cut = CutNearestToMiddle(text, EndOfSentence)) return *cut;
  if (const auto cut = CutNearestToMiddle(text, EndOfSpaces)) return *cut;
  return text.size() / 2;
}

// The characters of a valid UTF-8 text, and where each begins.
struct Characters {
  explicit Characters(std::string_view text) {
    for (size_t at = 0; at < text.size();) {
      const size_t length = std::max<size_t>(ValidCharacterSize(text.substr(at)), 1);
      char32_t c = static_cast<uint8_t>(text[at]);
      if (length > 1) c &= 0x7Fu >> length;
      for (size_t i = 1; i < length; ++i) c = c << 6 | (static_cast<uint8_t>(text[at + i]) & 0x3Fu);
      values += c;
      begins.push_back(at);
      at += length;
    }
    begins.push_back(text.size());
  }

  std::u32string values;
  std::vector<size_t> begins;
};

// Splits what lies between two characters. Gives false if a single one does not fit.
bool Split(std::string_view text, const Characters& characters, size_t begin, size_t end,
           const std::function<bool(std::string_view)>& fits, std::vector<std::string>* parts) {
  const Text values = characters.values;
  while (begin < end && IsSpace(values[begin])) ++begin;
  while (begin < end && IsSpace(values[end - 1])) --end;
  const std::string_view part =
      text.substr(characters.begins[begin], characters.begins[end] - characters.begins[begin]);
  if (fits(part)) {
    parts->emplace_back(part);
    return true;
  }
  if (end - begin < 2) return false;
  const size_t cut = begin + MiddleCut(values.substr(begin, end - begin));
  return Split(text, characters, begin, cut, fits, parts) &&
         Split(text, characters, cut, end, fits, parts);
}

}  // namespace

std::vector<std::string> SplitText(std::string_view text,
                                   const std::function<bool(std::string_view)>& fits) {
  const Characters characters(text);
  std::vector<std::string> parts;
  if (!Split(text, characters, 0, characters.values.size(), fits, &parts)) parts.clear();
  return parts;
}

}  // namespace tfcompress
