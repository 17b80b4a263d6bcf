#include "tokenizer/published_unigram.h"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <utility>

#include "tokenizer/utf8.h"

namespace tfcompress {
namespace {

constexpr double kUnknownPenalty = 10;
constexpr size_t kUnreached = SIZE_MAX;

// The best way to split the word up to some place: where the last piece begins, and the sum.
struct Best {
  size_t begin = kUnreached;
  bool is_unknown = false;
  double sum = 0;
};

void Offer(size_t begin, bool is_unknown, double sum, Best* best) {
  if (best->begin == kUnreached || sum > best->sum) *best = {begin, is_unknown, sum};
}

}  // namespace

PublishedUnigram::Table PublishedUnigram::ReadTable(const json::Array& vocabulary) {
  Table table;
  for (const json::Value& value : vocabulary) {
    const auto* entry = value.As<json::Array>();
    const bool is_pair = entry != nullptr && entry->size() == 2;
    const std::string* piece = is_pair ? (*entry)[0].As<std::string>() : nullptr;
    const double* score = is_pair ? (*entry)[1].As<double>() : nullptr;
    const int64_t* whole = is_pair ? (*entry)[1].As<int64_t>() : nullptr;
    if (piece == nullptr || (score == nullptr && whole == nullptr)) {
      BadTokenizer("piece " + std::to_string(table.pieces.size()) + " is no text with a score");
    }
    table.pieces.push_back(*piece);
    table.scores.push_back(score != nullptr ? *score : static_cast<double>(*whole));
  }
  return table;
}

PublishedUnigram::PublishedUnigram(const SettingsReader& part)
    : PublishedUnigram(part, ReadTable(part.List("vocab"))) {}

PublishedUnigram::PublishedUnigram(const SettingsReader& part, Table table)
    : PieceModel(std::move(table.pieces)),
      ids_(PieceEntries(pieces())),
      scores_(std::move(table.scores)),
      unknown_id_(part.Id("unk_id")) {
  if (part.Has("byte_fallback") && part.Flag("byte_fallback")) {
    BadTokenizer("it has a byte_fallback");
  }
  if (static_cast<size_t>(unknown_id_) >= scores_.size()) {
    BadTokenizer("its unknown id is " + std::to_string(unknown_id_));
  }
  unknown_score_ = *std::min_element(scores_.begin(), scores_.end()) - kUnknownPenalty;
  if (!std::isfinite(unknown_score_)) BadTokenizer("a score is not finite");
}

void PublishedUnigram::Encode(const std::string& word, std::vector<int32_t>* ids) const {
  const std::string_view text = word;
  std::vector<Best> bests(text.size() + 1);
  size_t next = 0;
  for (size_t begin = 0; begin < text.size(); begin = next) {
    next = begin + CharacterSize(text.substr(begin));
    const double sum = bests[begin].sum;
    bool has_character = false;
    uint32_t node = Trie::kRoot;
    for (size_t end = begin + 1; end <= text.size(); ++end) {
      node = ids_.Child(node, text[end - 1]);
      if (node == Trie::kRoot) break;
      const int32_t id = ids_.value(node);
      if (id == Trie::kNoValue) continue;
      Offer(begin, id == unknown_id_, scores_[static_cast<size_t>(id)] + sum, &bests[end]);
      has_character = has_character || end == next;
    }
    if (!has_character) Offer(begin, true, unknown_score_ + sum, &bests[next]);
  }
  std::vector<std::string_view> parts;
  bool after_unknown = false;
  for (size_t end = text.size(); end > 0; end = bests[end].begin) {
    const Best& best = bests[end];
    std::string_view part = text.substr(best.begin, end - best.begin);
    // Unknown parts become one.
    if (best.is_unknown && after_unknown) {
      part = text.substr(best.begin, part.size() + parts.back().size());
      parts.pop_back();
    }
    parts.push_back(part);
    after_unknown = best.is_unknown;
  }
  for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
    const int32_t id = ids_.Find(*part);
    ids->push_back(id == Trie::kNoValue ? unknown_id_ : id);
  }
}

}  // namespace tfcompress
