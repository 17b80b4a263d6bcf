#include "tokenizer/merges.h"

#include <cstddef>
#include <queue>

namespace tfcompress {
namespace {

constexpr int32_t kNone = -1;

// A piece in a linked list.
struct Symbol {
  int32_t id;
  int32_t previous;
  int32_t next;
  // Whether it was merged into its left neighbour.
  bool is_merged;
};

// Two neighbours that may be merged, as they were when this was noted.
struct Candidate {
  int32_t rank;
  int32_t left;
  int32_t left_id;
  int32_t right_id;
  int32_t merged;

  bool operator<(const Candidate& other) const {
    return rank != other.rank ? rank > other.rank : left > other.left;
  }
};

uint64_t PairKey(int32_t left, int32_t right) {
  return uint64_t{static_cast<uint32_t>(left)} << 32 | static_cast<uint32_t>(right);
}

}  // namespace

bool Merges::Add(int32_t left, int32_t right, int32_t rank, int32_t merged) {
  return merges_.insert_or_assign(PairKey(left, right), Merge{rank, merged}).second;
}

const Merges::Merge* Merges::Find(int32_t left, int32_t right) const {
  const auto it = merges_.find(PairKey(left, right));
  return it == merges_.end() ? nullptr : &it->second;
}

std::vector<int32_t> Merges::Apply(const std::vector<int32_t>& ids, bool by_result) const {
  std::vector<Symbol> symbols;
  for (const int32_t id : ids) {
    const auto index = static_cast<int32_t>(symbols.size());
    symbols.push_back({id, index - 1, index + 1, false});
  }
  if (symbols.empty()) return {};
  symbols.back().next = kNone;
  const auto symbol = [&](int32_t index) -> Symbol& { return symbols[static_cast<size_t>(index)]; };
  std::priority_queue<Candidate> candidates;
  const auto note = [&](int32_t left, int32_t right) {
    if (left == kNone || right == kNone) return;
    const int32_t left_id = symbol(left).id;
    const int32_t right_id = symbol(right).id;
    if (const Merge* merge = Find(left_id, right_id)) {
      candidates.push({merge->rank, left, left_id, right_id, merge->merged});
    }
  };
  for (int32_t i = 1; i < static_cast<int32_t>(symbols.size()); ++i) note(i - 1, i);
  while (!candidates.empty()) {
    const Candidate best = candidates.top();
    candidates.pop();
    Symbol& left = symbol(best.left);
    const int32_t right = left.next;
    if (left.is_merged || right == kNone) continue;
    if (by_result) {
      const Merge* merge = Find(left.id, symbol(right).id);
      if (merge == nullptr || merge->merged != best.merged) continue;
    } else if (left.id != best.left_id || symbol(right).id != best.right_id) {
      continue;
    }
    left.id = best.merged;
    symbol(right).is_merged = true;
    left.next = symbol(right).next;
    if (left.next != kNone) symbol(left.next).previous = best.left;
    note(left.previous, best.left);
    note(best.left, left.next);
  }
  std::vector<int32_t> merged;
  for (int32_t i = 0; i != kNone; i = symbol(i).next) merged.push_back(symbol(i).id);
  return merged;
}

}  // namespace tfcompress
