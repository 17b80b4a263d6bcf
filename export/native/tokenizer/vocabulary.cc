#include "tokenizer/vocabulary.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace tfcompress {
namespace {

// SentencePiece's limit.
constexpr size_t kLongestPiece = 7999;

constexpr std::string_view kNullPiece("\0", 1);

std::string Quoted(std::string_view text) { return "'" + std::string(text) + "'"; }

void CheckText(std::string_view text) {
  if (text.empty()) BadModel("a piece is empty");
  if (text.size() > kLongestPiece) {
    BadModel("a piece has " + std::to_string(text.size()) + " bytes, more than " +
             std::to_string(kLongestPiece));
  }
  if (text.find('\0') != text.npos) BadModel("a piece contains a zero byte");
}

void CheckDistinct(std::vector<Trie::Entry> entries) {
  std::sort(entries.begin(), entries.end());
  const auto same_text = [](const auto& a, const auto& b) { return a.first == b.first; };
  const auto twice = std::adjacent_find(entries.begin(), entries.end(), same_text);
  if (twice != entries.end()) BadModel("the piece " + Quoted(twice->first) + " occurs twice");
}

// The byte that a piece such as <0x0A> stands for; -1 if it is none.
int ByteOf(std::string_view text) {
  static constexpr std::string_view kDigits = "0123456789ABCDEF";
  if (text.size() != 6 || text.substr(0, 3) != "<0x" || text[5] != '>') return -1;
  const size_t high = kDigits.find(text[3]);
  const size_t low = kDigits.find(text[4]);
  if (high == kDigits.npos || low == kDigits.npos) return -1;
  return static_cast<int>(16 * high + low);
}

}  // namespace

Vocabulary::Vocabulary(const ModelProto& model)
    : byte_fallback_(model.byte_fallback), lowest_score_(std::numeric_limits<float>::max()) {
  const bool is_unigram = model.type == ModelType::kUnigram;
  std::vector<Trie::Entry> ordinary;
  std::vector<Trie::Entry> user_defined;
  std::vector<Trie::Entry> reserved;
  byte_ids_.fill(-1);
  pieces_.reserve(model.pieces.size());
  for (const auto& [text, score, stored_type] : model.pieces) {
    // Converters of other models add a piece of one zero byte, which is not meant to be used.
    const bool is_null = text == kNullPiece;
    const PieceType type = is_null && byte_fallback_ ? PieceType::kUnused : stored_type;
    const Trie::Entry entry(text, size());
    pieces_.push_back({std::string(text), score, type});
    if (is_unigram && !std::isfinite(score)) {
      BadModel("the piece " + Quoted(text) + " has the score " + std::to_string(score));
    }
    if (is_null && type == PieceType::kUnused) continue;
    CheckText(text);
    switch (type) {
      case PieceType::kNormal:
        lowest_score_ = std::min(lowest_score_, score);
        ordinary.push_back(entry);
        break;
      case PieceType::kUserDefined:
        user_defined.push_back(entry);
        ordinary.push_back(entry);
        break;
      case PieceType::kUnused:
        ordinary.push_back(entry);
        break;
      case PieceType::kUnknown:
        AddUnknown(entry.second);
        reserved.push_back(entry);
        break;
      case PieceType::kByte:
        AddByte(entry.second);
        reserved.push_back(entry);
        break;
      case PieceType::kControl:
        reserved.push_back(entry);
        break;
    }
  }
  CheckComplete();
  if (is_unigram) {
    if (ordinary.empty()) BadModel("no piece is a normal one");
    CheckDistinct(std::move(reserved));
    CheckDistinct(ordinary);
  } else {
    reserved.insert(reserved.end(), ordinary.begin(), ordinary.end());
    CheckDistinct(std::move(reserved));
  }
  trie_ = Trie(std::move(ordinary));
  user_defined_ = Trie(std::move(user_defined));
}

uint8_t Vocabulary::byte(int32_t id) const { return static_cast<uint8_t>(ByteOf(text(id))); }

void Vocabulary::AddUnknown(int32_t id) {
  if (unknown_id_ >= 0) BadModel("it has two unknown pieces");
  unknown_id_ = id;
}

void Vocabulary::AddByte(int32_t id) {
  const int byte = ByteOf(text(id));
  if (!byte_fallback_ || byte < 0) {
    BadModel("the byte piece " + Quoted(text(id)) + " is not expected");
  }
  byte_ids_[static_cast<size_t>(byte)] = id;
}

void Vocabulary::CheckComplete() const {
  if (unknown_id_ < 0 && !byte_fallback_) BadModel("it has no unknown piece");
  if (byte_fallback_ && std::count(byte_ids_.begin(), byte_ids_.end(), -1) > 0) {
    BadModel("it has not a piece for every byte");
  }
}

}  // namespace tfcompress
