#include "tokenizer/bpe.h"

#include <cstring>
#include <queue>
#include <unordered_map>
#include <utility>

#include "tokenizer/utf8.h"

namespace tfcompress {
namespace {

// SentencePiece looks no further than the 64th user-defined symbol that fits.
constexpr int kMostUserDefined = 64;

// SentencePiece undoes no more merges than this within one another.
constexpr int kDeepestUndone = 100;

constexpr int32_t kNone = -1;

// A part of the text, in a linked list; one that was merged into its left neighbour is empty.
struct Symbol {
  std::string_view text;
  int32_t previous;
  int32_t next;
  bool is_fixed;
};

// Two neighbours that may be merged, and the size that they had together when this was noted.
struct Candidate {
  int32_t rank;
  int32_t left;
  int32_t right;
  size_t size;

  bool operator<(const Candidate& other) const {
    return rank != other.rank ? rank < other.rank : left > other.left;
  }
};

// A number that sorts as the score does, even where scores are not finite.
int32_t Rank(float score) {
  int32_t bits;
  std::memcpy(&bits, &score, sizeof(bits));
  return bits < 0 ? bits ^ INT32_MAX : bits;
}

class Merger {
 public:
  Merger(const Vocabulary& vocabulary, std::string_view text);

  void MergeAll();
  std::vector<Segment> Segments() const;

 private:
  void Note(int32_t left, int32_t right);
  void AppendUsed(std::string_view text, std::vector<Segment>* segments) const;

  Symbol& symbol(int32_t index) { return symbols_[static_cast<size_t>(index)]; }

  const Vocabulary& vocabulary_;
  std::vector<Symbol> symbols_;
  std::priority_queue<Candidate> candidates_;
  // The two parts that an unused piece was last merged from, as it may have to be undone.
  std::unordered_map<int32_t, std::pair<std::string_view, std::string_view>> parts_;
};

Merger::Merger(const Vocabulary& vocabulary, std::string_view text) : vocabulary_(vocabulary) {
  while (!text.empty()) {
    const size_t fixed = vocabulary.user_defined().LongestPrefix(text, kMostUserDefined);
    const size_t size = fixed > 0 ? fixed : CharacterSize(text);
    const auto index = static_cast<int32_t>(symbols_.size());
    symbols_.push_back({text.substr(0, size), index - 1, index + 1, fixed > 0});
    text.remove_prefix(size);
  }
  if (!symbols_.empty()) symbols_.back().next = kNone;
  for (int32_t i = 1; i < static_cast<int32_t>(symbols_.size()); ++i) Note(i - 1, i);
}

void Merger::Note(int32_t left, int32_t right) {
  if (left == kNone || right == kNone) return;
  const Symbol& a = symbol(left);
  const Symbol& b = symbol(right);
  if (a.is_fixed || b.is_fixed) return;
  const std::string_view merged(a.text.data(), a.text.size() + b.text.size());
  const int32_t id = vocabulary_.pieces().Find(merged);
  if (id == Trie::kNoValue) return;
  candidates_.push({Rank(vocabulary_.score(id)), left, right, merged.size()});
  if (vocabulary_.type(id) == PieceType::kUnused) parts_[id] = {a.text, b.text};
}

void Merger::MergeAll() {
  while (!candidates_.empty()) {
    const Candidate best = candidates_.top();
    candidates_.pop();
    Symbol& left = symbol(best.left);
    Symbol& right = symbol(best.right);
    const bool is_outdated = left.text.empty() || right.text.empty() ||
                             left.text.size() + right.text.size() != best.size;
    if (is_outdated) continue;
    left.text = std::string_view(left.text.data(), best.size);
    left.next = right.next;
    if (right.next != kNone) symbol(right.next).previous = best.left;
    right.text = {};
    Note(left.previous, best.left);
    Note(best.left, left.next);
  }
}

std::vector<Segment> Merger::Segments() const {
  std::vector<Segment> segments;
  for (const Symbol& symbol : symbols_) {
    if (!symbol.text.empty()) AppendUsed(symbol.text, &segments);
  }
  return segments;
}

// Appends a symbol, in parts if its piece is unused.
void Merger::AppendUsed(std::string_view text, std::vector<Segment>* segments) const {
  std::vector<std::pair<std::string_view, int>> rest = {{text, 0}};
  while (!rest.empty()) {
    const auto [part, level] = rest.back();
    rest.pop_back();
    const int32_t id = vocabulary_.pieces().Find(part);
    const auto it = id == Trie::kNoValue ? parts_.end() : parts_.find(id);
    const bool is_unused = id != Trie::kNoValue && vocabulary_.type(id) == PieceType::kUnused;
    if (is_unused && level <= kDeepestUndone && it != parts_.end()) {
      rest.emplace_back(it->second.second, level + 1);
      rest.emplace_back(it->second.first, level + 1);
    } else {
      const bool is_unknown = id == Trie::kNoValue || (is_unused && level <= kDeepestUndone);
      segments->push_back({part, is_unknown ? vocabulary_.unknown_id() : id});
    }
  }
}

}  // namespace

std::vector<Segment> SplitBpe(const Vocabulary& vocabulary, std::string_view text) {
  Merger merger(vocabulary, text);
  merger.MergeAll();
  return merger.Segments();
}

}  // namespace tfcompress
