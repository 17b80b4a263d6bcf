#include "tokenizer/published_bpe.h"

#include <string_view>

#include "tokenizer/utf8.h"

namespace tfcompress {
namespace {

bool FlagOr(const SettingsReader& part, const std::string& name, bool otherwise) {
  return part.Has(name) ? part.Flag(name) : otherwise;
}

// The two pieces of a merge: texts in an array, or with a space between them.
std::pair<std::string, std::string> Pair(const json::Value& value) {
  if (const auto* text = value.As<std::string>()) {
    const size_t space = text->find(' ');
    if (space != text->npos) return {text->substr(0, space), text->substr(space + 1)};
  }
  if (const auto* array = value.As<json::Array>(); array != nullptr && array->size() == 2) {
    const auto* left = (*array)[0].As<std::string>();
    const auto* right = (*array)[1].As<std::string>();
    if (left != nullptr && right != nullptr) return {*left, *right};
  }
  BadTokenizer("a merge is no pair");
}

}  // namespace

PublishedBpe::PublishedBpe(const SettingsReader& part)
    : PieceModel(ReadVocabulary(part)),
      ids_(PieceEntries(pieces())),
      fuses_unknown_(FlagOr(part, "fuse_unk", false)),
      takes_whole_words_(FlagOr(part, "ignore_merges", false)) {
  for (const char* name : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    if (part.Has(name) && !part.Text(name).empty()) BadTokenizer(std::string("it has a ") + name);
  }
  if (FlagOr(part, "byte_fallback", false)) BadTokenizer("it has a byte_fallback");
  if (part.Has("unk_token")) {
    unknown_id_ = ids_.Find(part.Text("unk_token"));
    if (unknown_id_ == Trie::kNoValue) {
      BadTokenizer("its vocabulary lacks " + part.Text("unk_token"));
    }
  }
  ReadMerges(part.List("merges"));
}

void PublishedBpe::ReadMerges(const json::Array& merges) {
  int32_t rank = 0;
  for (const json::Value& value : merges) {
    const auto [left, right] = Pair(value);
    const int32_t left_id = ids_.Find(left);
    const int32_t right_id = ids_.Find(right);
    const int32_t merged_id = ids_.Find(left + right);
    if (left_id < 0 || right_id < 0 || merged_id < 0) {
      BadTokenizer("the merge of " + left + " and " + right +
                   " names or makes a piece that the vocabulary lacks");
    }
    merges_.Add(left_id, right_id, rank++, merged_id);
  }
}

void PublishedBpe::Encode(const std::string& word, std::vector<int32_t>* ids) const {
  if (takes_whole_words_) {
    const int32_t id = ids_.Find(word);
    if (id != Trie::kNoValue) {
      ids->push_back(id);
      return;
    }
  }
  std::vector<int32_t> symbols;
  bool after_unknown = false;
  for (std::string_view rest = word; !rest.empty();) {
    const std::string_view character = rest.substr(0, CharacterSize(rest));
    rest.remove_prefix(character.size());
    const int32_t id = ids_.Find(character);
    const bool is_unknown = id == Trie::kNoValue;
    const bool is_fused = is_unknown && after_unknown && fuses_unknown_;
    if (!is_unknown) symbols.push_back(id);
    if (is_unknown && unknown_id_ >= 0 && !is_fused) symbols.push_back(unknown_id_);
    after_unknown = is_unknown;
  }
  const std::vector<int32_t> merged = merges_.Apply(symbols, true);
  ids->insert(ids->end(), merged.begin(), merged.end());
}

}  // namespace tfcompress
