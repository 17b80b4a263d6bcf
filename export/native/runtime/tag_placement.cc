#include "runtime/tag_placement.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <numeric>
#include <optional>
#include <set>
#include <utility>

#include "runtime/characters.h"
#include "runtime/markup_scanner.h"

namespace tfcompress {
namespace {

using Text = std::u32string_view;

// Shares are whole numbers, so that sums are the same everywhere.
constexpr int64_t kOne = int64_t{1} << 20;
constexpr int64_t kHalf = kOne / 2;
constexpr Text kCommas = U",;:\u060c\u061b\u3001\uff0c\uff1a\uff1b";

bool IsSpace(char32_t c) { return Properties(c).is_space(); }

bool IsPunctuation(char32_t c) {
  const Role role = Properties(c).role();
  return kCommas.find(c) != Text::npos || role == Role::kSoftEnd || role == Role::kHardEnd ||
         role == Role::kClose || role == Role::kOpen;
}

bool FollowsWords(char32_t c) { return IsPunctuation(c) && Properties(c).role() != Role::kOpen; }

size_t Overlap(TextSpan one, TextSpan other) {
  const size_t begin = std::max(one.begin, other.begin), end = std::min(one.end, other.end);
  return end > begin ? end - begin : 0;
}

TextSpan WithoutSpace(Text text, TextSpan span) {
  while (span.begin < span.end && IsSpace(text[span.begin])) ++span.begin;
  while (span.end > span.begin && IsSpace(text[span.end - 1])) --span.end;
  return span;
}

double ShareBefore(TextSpan span, size_t place) {
  if (span.begin == span.end) return span.begin < place ? 1 : 0;
  if (place <= span.begin) return 0;
  if (place >= span.end) return 1;
  return static_cast<double>(place - span.begin) / static_cast<double>(span.end - span.begin);
}

// What tags go around: words between spaces, without the punctuation at their ends, which counts by
// itself; in scripts without spaces, tokens.
std::vector<TextSpan> SplitWords(Text text, const std::vector<AlignedPart>& alignment) {
  std::set<size_t> token_ends;
  for (const AlignedPart& part : alignment) {
    token_ends.insert({part.target.begin, part.target.end});
    for (const TextSpan& token : part.target_tokens) token_ends.insert({token.begin, token.end});
  }
  std::vector<TextSpan> words;
  for (size_t at = 0; at < text.size();) {
    if (IsSpace(text[at])) {
      ++at;
      continue;
    }
    size_t end = at;
    while (end < text.size() && !IsSpace(text[end])) ++end;
    size_t begin = at, last = end;
    for (; begin < last && IsPunctuation(text[begin]); ++begin) words.push_back({begin, begin + 1});
    while (last > begin && IsPunctuation(text[last - 1])) --last;
    for (size_t cut = begin + 1; cut < last; ++cut) {
      const char32_t before = text[cut - 1], after = text[cut];
      if (!Properties(before).is_unspaced() && !Properties(after).is_unspaced()) continue;
      if (token_ends.count(cut) == 0 && !IsPunctuation(before) && !IsPunctuation(after)) continue;
      words.push_back({begin, cut});
      begin = cut;
    }
    if (begin < last) words.push_back({begin, last});
    for (size_t place = last; place < end; ++place) words.push_back({place, place + 1});
    at = end;
  }
  return words;
}

// What words of the translation owe to the text before a place in the source.
class Shares {
 public:
  Shares(Text source, const std::vector<TextSpan>& words, const std::vector<AlignedPart>& alignment)
      : num_words_(words.size()) {
    for (const AlignedPart& aligned : alignment) {
      const auto first =
          std::lower_bound(words.begin(), words.end(), aligned.target.begin,
                           [](const TextSpan& word, size_t begin) { return word.begin < begin; });
      Part part = {
          static_cast<size_t>(first - words.begin()), words.size(), aligned.source, {}, {}};
      for (const TextSpan& token : aligned.source_tokens) {
        part.tokens.push_back(WithoutSpace(source, token));
      }
      if (!parts_.empty()) parts_.back().last = part.first;
      parts_.push_back(std::move(part));
    }
    for (size_t i = 0; i < parts_.size(); ++i) {
      for (size_t word = parts_[i].first; word < parts_[i].last; ++word) {
        parts_[i].rows.push_back(RowOf(alignment[i], words[word]));
      }
    }
  }

  // The share of each word, of kOne.
  const std::vector<int64_t>& Before(size_t place) {
    const auto [known, is_new] = known_.try_emplace(place, num_words_);
    if (!is_new) return known->second;
    for (const Part& part : parts_) {
      if (part.source.begin >= place && part.source.end > place) continue;
      for (size_t word = part.first; word < part.last; ++word) {
        known->second[word] =
            part.source.end <= place ? kOne : Share(part, part.rows[word - part.first], place);
      }
    }
    return known->second;
  }

 private:
  using Row = std::vector<double>;

  struct Part {
    size_t first;
    size_t last;
    TextSpan source;
    std::vector<TextSpan> tokens;
    std::vector<Row> rows;
  };

  // How a word is aligned with the tokens of the source.
  static Row RowOf(const AlignedPart& part, TextSpan word) {
    const size_t width = part.source_tokens.size();
    Row row(width);
    for (size_t i = 0; i < part.target_tokens.size(); ++i) {
      const size_t shared = Overlap(word, part.target_tokens[i]);
      for (size_t j = 0; shared > 0 && j < width; ++j) {
        const double weight = part.weights[i * width + j];
        if (std::isfinite(weight) && weight > 0) row[j] += static_cast<double>(shared) * weight;
      }
    }
    return row;
  }

  static int64_t Share(const Part& part, const Row& row, size_t place) {
    double total = 0, before = 0;
    for (size_t j = 0; j < row.size(); ++j) {
      total += row[j];
      before += row[j] * ShareBefore(part.tokens[j], place);
    }
    const double share = total > 1e-9 ? before / total : ShareBefore(part.source, place);
    return static_cast<int64_t>(std::floor(share * static_cast<double>(kOne) + 0.5));
  }

  size_t num_words_;
  std::vector<Part> parts_;
  std::map<size_t, std::vector<int64_t>> known_;
};

// The run of free words with the greatest sum, if that is above 0.
std::optional<TextSpan> BestRun(const std::vector<int64_t>& surplus,
                                const std::vector<bool>& is_free) {
  std::optional<TextSpan> span;
  int64_t best = 0, total = 0;
  size_t begin = 0;
  for (size_t at = 0; at < surplus.size(); ++at) {
    if (!is_free[at] || total <= 0) {
      total = 0;
      begin = at;
    }
    if (!is_free[at]) {
      begin = at + 1;
      continue;
    }
    total += surplus[at];
    if (total > best) {
      best = total;
      span = TextSpan{begin, at + 1};
    }
  }
  return span;
}

// Where each tag goes: between which words.
class Placement {
 public:
  Placement(Text source, const std::vector<Tag>& tags, Text target,
            const std::vector<AlignedPart>& alignment)
      : tags_(tags),
        target_(target),
        words_(SplitWords(target, alignment)),
        shares_(source, words_, alignment),
        spans_(tags.size()),
        children_(tags.size() + 1) {
    for (size_t number = 0; number < tags.size(); ++number) {
      ChildrenOf(tags[number].parent).push_back(number);
    }
    for (int parent = -1; parent < static_cast<int>(tags.size()); ++parent) {
      if (!ChildrenOf(parent).empty()) Place(ChildrenOf(parent), SpanOf(parent));
    }
  }

  std::string Render() {
    struct Open {
      std::vector<size_t> children;
      size_t next;
      size_t end;
      const std::string* closing;
    };
    std::string markup;
    size_t at = 0;
    const auto put = [&](size_t place, std::string_view piece) {
      place = std::max(place, at);
      markup.append(EncodeMarkup(target_.substr(at, place - at))).append(piece);
      at = place;
    };
    const std::string nothing;
    std::vector<Open> opened = {{Ordered(-1), 0, 0, &nothing}};
    while (!opened.empty()) {
      Open& top = opened.back();
      if (top.next == top.children.size()) {
        put(top.end, *top.closing);
        opened.pop_back();
        continue;
      }
      const size_t number = top.children[top.next++];
      const Tag& tag = tags_[number];
      const TextSpan span = spans_[number];
      const bool has_words = span.begin < span.end;
      const size_t place = has_words ? words_[span.begin].begin : Gap(number);
      if (tag.closing.empty()) {
        put(place, Spaced(tag, std::max(place, at)));
      } else {
        put(place, tag.opening);
        opened.push_back({Ordered(static_cast<int>(number)), 0,
                          has_words ? words_[span.end - 1].end : place, &tag.closing});
      }
    }
    return markup + EncodeMarkup(target_.substr(at));
  }

 private:
  std::vector<size_t>& ChildrenOf(int parent) { return children_[static_cast<size_t>(parent + 1)]; }

  TextSpan SpanOf(int number) const {
    return number < 0 ? TextSpan{0, words_.size()} : spans_[static_cast<size_t>(number)];
  }

  // Places the tags that are directly in an element, which has the words `within`.
  void Place(const std::vector<size_t>& numbers, TextSpan within) {
    constexpr size_t kNobody = SIZE_MAX;
    const size_t count = within.end - within.begin;
    std::map<size_t, std::vector<int64_t>> surplus;
    std::vector<size_t> owner(count, kNobody), taken(count, kNobody), points, homeless;
    for (const size_t number : numbers) {
      if (tags_[number].closing.empty()) {
        points.push_back(number);
        continue;
      }
      std::vector<int64_t>& own = surplus[number] = Surplus(tags_[number], within);
      for (size_t i = 0; i < count; ++i) {
        if (own[i] > 0) owner[i] = number;
      }
    }
    const auto take = [&](size_t number, TextSpan span) {
      std::fill(taken.begin() + static_cast<ptrdiff_t>(span.begin),
                taken.begin() + static_cast<ptrdiff_t>(span.end), number);
      spans_[number] = {within.begin + span.begin, within.begin + span.end};
    };
    for (const auto& [number, own] : surplus) {
      std::vector<bool> is_free(count);
      for (size_t i = 0; i < count; ++i) {
        is_free[i] = taken[i] == kNobody && (owner[i] == kNobody || owner[i] == number);
      }
      if (const auto span = BestRun(own, is_free)) {
        take(number, *span);
      } else {
        homeless.push_back(number);
      }
    }
    for (const size_t number : homeless) {
      std::vector<int64_t> left = surplus[number];
      for (size_t i = 0; i < count; ++i) {
        if (taken[i] != kNobody) left[i] = -kHalf;
      }
      const auto best = std::max_element(left.begin(), left.end());
      if (best != left.end() && *best > -kHalf) {
        const auto word = static_cast<size_t>(best - left.begin());
        take(number, {word, word + 1});
      } else {
        points.push_back(number);
      }
    }
    for (const size_t number : points) {
      const std::vector<int64_t>& before = shares_.Before(tags_[number].begin);
      int64_t score = 0, best = 0;
      size_t gap = 0;
      for (size_t i = 1; i <= count; ++i) {
        score += before[within.begin + i - 1] - kHalf;
        const bool is_inside = i < count && taken[i] != kNobody && taken[i] == taken[i - 1];
        if (!is_inside && score > best) {
          best = score;
          gap = i;
        }
      }
      spans_[number] = {within.begin + gap, within.begin + gap};
    }
  }

  // How much more than half of each word an element has.
  std::vector<int64_t> Surplus(const Tag& tag, TextSpan within) {
    const std::vector<int64_t>& ends = shares_.Before(tag.end);
    const std::vector<int64_t>& begins = shares_.Before(tag.begin);
    std::vector<int64_t> surplus;
    for (size_t i = within.begin; i < within.end; ++i) {
      surplus.push_back(ends[i] - begins[i] - kHalf);
    }
    return surplus;
  }

  // The tags in an element, in the order of the translation; a gap is before its word.
  std::vector<size_t> Ordered(int parent) {
    std::vector<size_t> numbers = ChildrenOf(parent);
    const auto key = [this](size_t number) {
      return std::pair(spans_[number].begin, spans_[number].begin < spans_[number].end);
    };
    std::stable_sort(numbers.begin(), numbers.end(),
                     [&](size_t a, size_t b) { return key(a) < key(b); });
    return numbers;
  }

  // Where a tag without words goes: after a word, or before the next one.
  size_t Gap(size_t number) const {
    const Tag& tag = tags_[number];
    const size_t gap = spans_[number].begin;
    size_t low = gap > 0 ? words_[gap - 1].end : 0;
    size_t high = gap < words_.size() ? words_[gap].begin : target_.size();
    const TextSpan around = SpanOf(tag.parent);
    if (tag.parent >= 0 && around.begin < around.end) {
      low = std::max(low, words_[around.begin].begin);
      high = std::min(high, words_[around.end - 1].end);
    }
    return tag.has_space_before && !tag.has_space_after ? high : low;
  }

  // A tag with the space that it needs beside that of the translation.
  std::string Spaced(const Tag& tag, size_t at) const {
    const bool needs_left = tag.has_space_before && at > 0 && !IsSpace(target_[at - 1]);
    const bool needs_right = tag.has_space_after && at < target_.size() && !IsSpace(target_[at]) &&
                             !FollowsWords(target_[at]);
    return (needs_left ? " " : "") + tag.opening + (needs_right ? " " : "");
  }

  const std::vector<Tag>& tags_;
  Text target_;
  std::vector<TextSpan> words_;
  Shares shares_;
  std::vector<TextSpan> spans_;
  std::vector<std::vector<size_t>> children_;
};

}  // namespace

std::string PlaceTags(Text source, const std::vector<Tag>& tags, Text target,
                      const std::vector<AlignedPart>& alignment) {
  return Placement(source, tags, target, alignment).Render();
}

std::vector<double> SharedCharacters(const std::vector<TextSpan>& rows,
                                     const std::vector<TextSpan>& columns) {
  const size_t width = columns.size() + 1;
  std::vector<double> shares((rows.size() + 1) * width);
  for (size_t i = 0; i < rows.size(); ++i) {
    double total = 0;
    for (const TextSpan& column : columns) total += static_cast<double>(Overlap(rows[i], column));
    for (size_t j = 0; j < columns.size(); ++j) {
      const auto shared = static_cast<double>(Overlap(rows[i], columns[j]));
      shares[i * width + j] = shared / std::max(total, 1.0);
    }
  }
  shares.back() = 1;
  return shares;
}

}  // namespace tfcompress
