#include "runtime/splitting.h"

#include <algorithm>
#include <numeric>

#include "runtime/characters.h"
#include "runtime/sentences.h"
#include "tokenizer/unicode.h"

namespace tfcompress {
namespace {

using Text = std::u32string_view;
using Fits = std::function<bool(Text)>;
using Cuts = std::vector<size_t>;

// Commas and colons that no space follows.
constexpr Text kClauseEnds = U"\u3001\uff0c\uff1a\uff1b\uff64\u104a";

Text Trimmed(Text text) {
  while (!text.empty() && Properties(text[0]).is_space()) {
    if (text.size() > 1 && Properties(text[1]).is_mark()) break;
    text.remove_prefix(1);
  }
  while (!text.empty() && Properties(text.back()).is_space()) text.remove_suffix(1);
  return text;
}

// Those cuts between which there is as much as fits.
Cuts Packed(Text text, const Cuts& cuts, const Fits& fits) {
  Cuts bounds = {0};
  bounds.insert(bounds.end(), cuts.begin(), cuts.end());
  bounds.push_back(text.size());
  const size_t last = bounds.size() - 1;
  Cuts chosen;
  for (size_t first = 0; first < last;) {
    const auto fit = [&](size_t count) {
      const size_t begin = bounds[first];
      return fits(Trimmed(text.substr(begin, bounds[first + count] - begin)));
    };
    size_t count = 1;
    while (first + 2 * count <= last && fit(2 * count)) count *= 2;
    size_t beyond = std::min(2 * count, last - first + 1);
    while (beyond - count > 1) {
      const size_t middle = (count + beyond) / 2;
      (fit(middle) ? count : beyond) = middle;
    }
    first += count;
    chosen.push_back(bounds[first]);
  }
  chosen.pop_back();
  return chosen;
}

// Where words begin, and what follows a clause, but for the first.
Cuts Words(Text text) {
  Cuts cuts;
  for (size_t at = 1; at < text.size(); ++at) {
    const Properties here(text[at]);
    const bool is_word = Properties(text[at - 1]).is_space() && !here.is_space();
    const bool is_clause = kClauseEnds.find(text[at - 1]) != Text::npos;
    if ((is_word || is_clause) && !here.is_mark()) cuts.push_back(at);
  }
  return cuts;
}

// Where grapheme clusters begin, but for the first: at no other place than UAX #29.
Cuts Clusters(Text text) {
  Cuts cuts;
  bool is_held = false, is_linked = false, is_half_flag = false;
  for (size_t at = 0; at < text.size(); ++at) {
    const Properties here(text[at]);
    const bool is_flag = text[at] >= U'\U0001f1e6' && text[at] <= U'\U0001f1ff';
    const bool is_second = is_flag && is_half_flag;
    if (at > 0 && !is_held && !is_second && !here.is_mark()) cuts.push_back(at);
    is_half_flag = is_flag && !is_second;
    is_linked = here.joins() == Joins::kLinker || (is_linked && here.is_mark());
    is_held = is_linked || here.joins() == Joins::kToNext || here.joins() == Joins::kToBoth;
  }
  return cuts;
}

Cuts CodePoints(Text text) {
  Cuts cuts(text.size() - 1);
  std::iota(cuts.begin(), cuts.end(), 1);
  return cuts;
}

constexpr int kLevels = 5;

Cuts CutsOf(int level, Text text, const Fits& fits) {
  switch (level) {
    case 0:
      return SentenceBegins(text, false);
    case 1:
      return SentenceBegins(text, true);
    case 2:
      return Packed(text, Words(text), fits);
    case 3:
      return Packed(text, Clusters(text), fits);
    default:
      return Packed(text, CodePoints(text), fits);
  }
}

// Gives false if a single code point does not fit.
bool Divide(Text text, const Fits& fits, int level, std::vector<std::string>* parts) {
  text = Trimmed(text);
  if (IsBlank(text)) return true;
  if (fits(text)) {
    parts->push_back(ToUtf8(text));
    return true;
  }
  if (level == kLevels) return false;
  Cuts cuts = CutsOf(level, text, fits);
  cuts.push_back(text.size());
  size_t begin = 0;
  for (const size_t end : cuts) {
    if (!Divide(text.substr(begin, end - begin), fits, level + 1, parts)) return false;
    begin = end;
  }
  return true;
}

// Whether no space stands between two texts.
bool NeedNoSpace(std::string_view left, std::string_view right) {
  const std::u32string before = ToCharacters(left), after = ToCharacters(right);
  const auto is_ending = [](char32_t c) {
    return !IsQuote(c) && Properties(c).role() != Role::kSoftEnd;
  };
  const auto last = std::find_if(before.rbegin(), before.rend(), is_ending);
  const auto first = std::find_if_not(after.begin(), after.end(), IsQuote);
  const Properties ending(last == before.rend() ? U' ' : *last);
  const Properties beginning(first == after.end() ? U' ' : *first);
  const bool is_end = ending.role() == Role::kHardEnd;
  return ending.is_unspaced() && (is_end || beginning.is_unspaced());
}

}  // namespace

std::vector<Part> SplitLines(std::string_view text) {
  std::vector<Part> lines;
  std::string breaks;
  while (true) {
    const size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    const bool has_return = end != text.npos && !line.empty() && line.back() == '\r';
    if (has_return) line.remove_suffix(1);
    if (!IsBlank(line)) {
      const std::u32string characters = ToCharacters(line);
      lines.push_back({lines.empty() ? "" : breaks, ToUtf8(Trimmed(characters))});
      breaks.clear();
    }
    if (end == text.npos) return lines;
    breaks += has_return ? "\r\n" : "\n";
    text.remove_prefix(end + 1);
  }
}

std::vector<Part> SplitSentences(std::string_view text) {
  const std::u32string all = ToCharacters(text);
  std::vector<Part> sentences;
  size_t last = 0;
  for (size_t begin = 0, next = 0; begin <= all.size(); begin = next) {
    const size_t line_break = std::min(all.find(U'\n', begin), all.size());
    next = line_break + 1;
    const Text line = Text(all).substr(begin, line_break - begin);
    Cuts cuts = SentenceBegins(line, false);
    cuts.push_back(line.size());
    size_t from = 0;
    for (const size_t to : cuts) {
      const Text sentence = Trimmed(line.substr(from, to - from));
      from = to;
      if (IsBlank(sentence)) continue;
      const auto place = static_cast<size_t>(sentence.data() - all.data());
      const Text space = Text(all).substr(last, place - last);
      const bool is_plain = sentences.empty() || space == U" ";
      sentences.push_back({is_plain ? "" : ToUtf8(space), ToUtf8(sentence)});
      last = place + sentence.size();
    }
  }
  return sentences;
}

std::optional<std::vector<std::string>> SplitText(
    std::string_view text, const std::function<bool(std::string_view)>& fits) {
  const std::u32string characters = ToCharacters(text);
  std::vector<std::string> parts;
  const Fits part_fits = [&fits](Text part) { return fits(ToUtf8(part)); };
  if (!Divide(characters, part_fits, 0, &parts)) return std::nullopt;
  return parts;
}

std::string Joiner::Join(const Part& part) {
  const bool are_words = !left_.empty() && !part.text.empty() && part.breaks.empty();
  const bool needs_space = are_words && !NeedNoSpace(left_, part.text);
  if (!part.text.empty() || !part.breaks.empty()) left_ = part.text;
  return needs_space ? " " : part.breaks;
}

std::string JoinTexts(const std::vector<Part>& parts, std::vector<size_t>* begins) {
  std::string joined;
  Joiner joiner;
  for (const Part& part : parts) {
    joined += joiner.Join(part);
    if (begins != nullptr) begins->push_back(joined.size());
    joined += part.text;
  }
  return joined;
}

}  // namespace tfcompress
