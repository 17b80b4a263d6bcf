#include "tokenizer/unigram.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "tokenizer/utf8.h"

namespace tfcompress {
namespace {

constexpr float kUnknownPenalty = 10;

// Sums beyond this are brought back to 0, so that long texts lose no precision.
constexpr float kLargestSum = 100000;

constexpr size_t kUnreached = SIZE_MAX;

// The best way to split the text up to some place: where the last piece begins, and the sum.
struct Best {
  size_t begin = kUnreached;
  int32_t id = -1;
  float sum = 0;
};

// Exactly SentencePiece's score, rounded where it rounds, as ties depend on it. It is high enough
// that a user-defined piece always wins.
float Score(const Vocabulary& vocabulary, int32_t id, size_t size) {
  if (vocabulary.type(id) != PieceType::kUserDefined) return vocabulary.score(id);
  return static_cast<float>(0.1 * (static_cast<int>(size) - 1));
}

void Offer(size_t begin, int32_t id, float sum, Best* best) {
  if (best->begin == kUnreached || sum > best->sum) *best = {begin, id, sum};
}

std::vector<Segment> Backtrack(std::string_view text, const std::vector<Best>& bests) {
  std::vector<Segment> segments;
  for (size_t end = text.size(); end > 0; end = bests[end].begin) {
    const Best& best = bests[end];
    segments.push_back({text.substr(best.begin, end - best.begin), best.id});
  }
  std::reverse(segments.begin(), segments.end());
  return segments;
}

}  // namespace

std::vector<Segment> SplitUnigram(const Vocabulary& vocabulary, std::string_view text) {
  const Trie& trie = vocabulary.pieces();
  const float unknown_score = vocabulary.lowest_score() - kUnknownPenalty;
  std::vector<Best> bests(text.size() + 1);
  size_t farthest = 0;
  size_t next = 0;
  for (size_t begin = 0; begin < text.size(); begin = next) {
    next = begin + CharacterSize(text.substr(begin));
    float sum = bests[begin].sum;
    if (std::abs(sum) > kLargestSum) {
      for (size_t i = begin; i <= farthest; ++i) bests[i].sum -= sum;
      sum = 0;
    }
    bool has_character = false;
    uint32_t node = Trie::kRoot;
    for (size_t end = begin + 1; end <= text.size(); ++end) {
      node = trie.Child(node, text[end - 1]);
      if (node == Trie::kRoot) break;
      const int32_t id = trie.value(node);
      if (id == Trie::kNoValue || vocabulary.type(id) == PieceType::kUnused) continue;
      Offer(begin, id, Score(vocabulary, id, end - begin) + sum, &bests[end]);
      farthest = std::max(farthest, end);
      has_character = has_character || end == next;
    }
    if (!has_character) {
      Offer(begin, vocabulary.unknown_id(), unknown_score + sum, &bests[next]);
      farthest = std::max(farthest, next);
    }
  }
  return Backtrack(text, bests);
}

}  // namespace tfcompress
