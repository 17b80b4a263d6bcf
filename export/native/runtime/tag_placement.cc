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

// What words owe to the text before a place: those from `first` to `low` all, those that follow
// these shares, of kOne, and the others nothing.
struct Owed {
  size_t first;
  size_t low;
  std::vector<int64_t> shares;

  size_t high() const { return low + shares.size(); }
  int64_t Of(size_t word) const {
    if (word >= low) return word < high() ? shares[word - low] : 0;
    return word >= first ? kOne : 0;
  }
};

// What words of a part's translation owe to the text before a place in the part.
class PartShares {
 public:
  PartShares(Text source, const AlignedPart& part, const TextSpan* words, size_t num_words)
      : source_(part.source), num_words_(num_words), width_(part.source_tokens.size()) {
    for (const TextSpan& token : part.source_tokens) tokens_.push_back(WithoutSpace(source, token));
    for (size_t word = 0; word < num_words; ++word) AddRow(part, words[word]);
  }

  size_t begin() const { return source_.begin; }
  size_t end() const { return source_.end; }

  std::vector<int64_t> Before(size_t place) const {
    std::vector<double> parts;
    for (const TextSpan& token : tokens_) parts.push_back(ShareBefore(token, place));
    // Only tokens between are not taken as a whole, or not at all.
    size_t whole = 0, end = width_;
    while (whole < width_ && parts[whole] == 1) ++whole;
    while (end > whole && parts[end - 1] == 0) --end;
    std::vector<int64_t> shares;
    for (size_t word = 0; word < num_words_; ++word) {
      const double* sums = &sums_[word * (width_ + 1)];
      double before = sums[whole];
      for (size_t j = whole; j < end; ++j) before += rows_[word * width_ + j] * parts[j];
      const double total = sums[width_];
      const double share = total > 1e-9 ? before / total : ShareBefore(source_, place);
      shares.push_back(static_cast<int64_t>(std::floor(share * static_cast<double>(kOne) + 0.5)));
    }
    return shares;
  }

 private:
  // Adds how a word is aligned with the tokens of the source.
  void AddRow(const AlignedPart& part, TextSpan word) {
    std::vector<double> row(width_);
    for (size_t i = 0; i < part.target_tokens.size(); ++i) {
      const size_t shared = Overlap(word, part.target_tokens[i]);
      for (size_t j = 0; shared > 0 && j < width_; ++j) {
        const double weight = part.weights[i * width_ + j];
        if (std::isfinite(weight) && weight > 0) row[j] += static_cast<double>(shared) * weight;
      }
    }
    double sum = 0;
    sums_.push_back(sum);
    for (const double value : row) sums_.push_back(sum += value);
    rows_.insert(rows_.end(), row.begin(), row.end());
  }

  TextSpan source_;
  size_t num_words_;
  size_t width_;
  std::vector<TextSpan> tokens_;
  std::vector<double> rows_;  // [words, tokens]
  std::vector<double> sums_;  // Of each row, of so many from the left: [words, tokens + 1].
};

// What words of the translation owe to the text before a place in the source.
class Shares {
 public:
  Shares(Text source, const std::vector<TextSpan>& words,
         const std::vector<AlignedPart>& alignment) {
    for (const AlignedPart& part : alignment) {
      const auto first =
          std::lower_bound(words.begin(), words.end(), part.target.begin,
                           [](const TextSpan& word, size_t begin) { return word.begin < begin; });
      firsts_.push_back(static_cast<size_t>(first - words.begin()));
    }
    firsts_.push_back(words.size());
    for (size_t i = 0; i < alignment.size(); ++i) {
      parts_.emplace_back(source, alignment[i], words.data() + firsts_[i],
                          firsts_[i + 1] - firsts_[i]);
    }
  }

  const Owed& Before(size_t place) {
    const auto [known, is_new] = known_.try_emplace(place);
    if (!is_new) return known->second;
    const auto part =
        std::upper_bound(parts_.begin(), parts_.end(), place,
                         [](size_t wanted, const PartShares& one) { return wanted < one.end(); });
    Owed& owed = known->second;
    owed = {firsts_[0], firsts_[static_cast<size_t>(part - parts_.begin())], {}};
    if (part != parts_.end() && part->begin() < place) owed.shares = part->Before(place);
    return owed;
  }

 private:
  std::vector<PartShares> parts_;
  std::vector<size_t> firsts_;  // Where the words of each part begin, and the last ones end.
  std::map<size_t, Owed> known_;
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
  static constexpr size_t kNobody = SIZE_MAX;

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

  // What is over half of each word that owes anything to an element, from the first of them on.
  struct Surplus {
    size_t first;
    std::vector<int64_t> words;
  };

  // Places the tags that are directly in an element, which has the words `within`.
  void Place(const std::vector<size_t>& numbers, TextSpan within) {
    const size_t count = within.end - within.begin;
    std::map<size_t, Surplus> surplus;
    std::vector<size_t> owner(count, kNobody), taken(count, kNobody), points, homeless;
    for (const size_t number : numbers) {
      if (tags_[number].closing.empty()) {
        points.push_back(number);
        continue;
      }
      const Surplus& own = surplus[number] = SurplusOf(tags_[number], within);
      for (size_t i = 0; i < own.words.size(); ++i) {
        if (own.words[i] > 0) owner[own.first + i] = number;
      }
    }
    const auto take = [&](size_t number, TextSpan span) {
      std::fill(taken.begin() + static_cast<ptrdiff_t>(span.begin),
                taken.begin() + static_cast<ptrdiff_t>(span.end), number);
      spans_[number] = {within.begin + span.begin, within.begin + span.end};
    };
    for (const auto& [number, own] : surplus) {
      std::vector<bool> is_free(own.words.size());
      for (size_t i = 0; i < is_free.size(); ++i) {
        const size_t word = own.first + i;
        is_free[i] = taken[word] == kNobody && (owner[word] == kNobody || owner[word] == number);
      }
      if (const auto run = BestRun(own.words, is_free)) {
        take(number, {own.first + run->begin, own.first + run->end});
      } else {
        homeless.push_back(number);
      }
    }
    for (const size_t number : homeless) {
      const Surplus& own = surplus[number];
      std::vector<int64_t> left = own.words;
      for (size_t i = 0; i < left.size(); ++i) {
        if (taken[own.first + i] != kNobody) left[i] = -kHalf;
      }
      const auto best = std::max_element(left.begin(), left.end());
      if (best != left.end() && *best > -kHalf) {
        const size_t word = own.first + static_cast<size_t>(best - left.begin());
        take(number, {word, word + 1});
      } else {
        points.push_back(number);
      }
    }
    if (!points.empty()) PlacePoints(points, within.begin, taken);
  }

  Surplus SurplusOf(const Tag& tag, TextSpan within) {
    const Owed& begins = shares_.Before(tag.begin);
    const Owed& ends = shares_.Before(tag.end);
    const size_t low = std::clamp(begins.low, within.begin, within.end);
    const size_t high = std::clamp(ends.high(), low, within.end);
    Surplus surplus = {low - within.begin, {}};
    for (size_t word = low; word < high; ++word) {
      surplus.words.push_back(ends.Of(word) - begins.Of(word) - kHalf);
    }
    return surplus;
  }

  // Places what goes between words: after all that owe more than half to what is before.
  void PlacePoints(const std::vector<size_t>& points, size_t begin,
                   const std::vector<size_t>& taken) {
    const size_t count = taken.size();
    const auto is_inside = [&](size_t gap) {
      return gap > 0 && gap < count && taken[gap] != kNobody && taken[gap] == taken[gap - 1];
    };
    // The next gaps that are in no element.
    std::vector<size_t> left(count + 1), right(count + 1, count);
    for (size_t gap = 1; gap <= count; ++gap) left[gap] = is_inside(gap) ? left[gap - 1] : gap;
    for (size_t gap = count; gap-- > 0;) right[gap] = is_inside(gap) ? right[gap + 1] : gap;
    for (const size_t number : points) {
      const Owed& owed = shares_.Before(tags_[number].begin);
      const auto within = [&](size_t word) {
        return std::clamp(word, begin, begin + count) - begin;
      };
      const size_t first = within(owed.first), low = within(owed.low), high = within(owed.high());
      // The score rises before those words of which there are shares, and falls after them.
      const auto halves = [](size_t words) { return static_cast<int64_t>(words) * kHalf; };
      int64_t best = 0, score = halves(low) - 2 * halves(first);
      size_t place = 0;
      const auto consider = [&](size_t gap, int64_t value) {
        if (value <= best) return;
        best = value;
        place = gap;
      };
      if (left[low] >= first) consider(left[low], halves(left[low]) - 2 * halves(first));
      for (size_t gap = low + 1; gap <= high; ++gap) {
        score += owed.Of(begin + gap - 1) - kHalf;
        if (!is_inside(gap)) consider(gap, score);
      }
      consider(right[high], score - halves(right[high] - high));
      spans_[number] = {begin + place, begin + place};
    }
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
