#include "tokenizer/added_tokens.h"

#include <algorithm>
#include <unordered_set>

#include "tokenizer/pieces.h"
#include "tokenizer/published_tables.h"
#include "tokenizer/settings_reader.h"
#include "tokenizer/unicode.h"
#include "tokenizer/utf8.h"

namespace tfcompress {
namespace {

bool IsWord(char32_t character) {
  return (RunValue(kPublishedRuns, kPublishedRunsSize, character) & kWordBit) != 0;
}

// Takes the last character from a UTF-8 text that is not empty.
char32_t TakeLast(std::string_view* text) {
  size_t size = 1;
  while (size < text->size() &&
         (static_cast<uint8_t>((*text)[text->size() - size]) & 0xC0) == 0x80) {
    ++size;
  }
  std::string_view character = text->substr(text->size() - size);
  text->remove_suffix(size);
  return TakeCharacter(&character);
}

bool EndsWithWord(std::string_view text) { return !text.empty() && IsWord(TakeLast(&text)); }

bool BeginsWithWord(std::string_view text) { return !text.empty() && IsWord(TakeCharacter(&text)); }

size_t SpacesAtBegin(std::string_view text) {
  size_t size = 0;
  for (std::string_view rest = text; !rest.empty();) {
    if (!IsWhiteSpace(TakeCharacter(&rest))) break;
    size = text.size() - rest.size();
  }
  return size;
}

size_t SpacesAtEnd(std::string_view text) {
  size_t size = 0;
  for (std::string_view rest = text; !rest.empty();) {
    if (!IsWhiteSpace(TakeLast(&rest))) break;
    size = text.size() - rest.size();
  }
  return size;
}

}  // namespace

AddedTokens::AddedTokens(const json::Value& value, const PublishedNormalizer* normalizer)
    : normalizer_(normalizer) {
  if (!value.IsNull()) {
    const auto* list = value.As<json::Array>();
    if (list == nullptr) BadTokenizer("its added_tokens are no array");
    for (const json::Value& one : *list) {
      const SettingsReader reader(one);
      const std::string& content = reader.Text("content");
      const Token token = {reader.Id("id"), reader.Flag("single_word"), reader.Flag("lstrip"),
                           reader.Flag("rstrip")};
      const bool is_normalized = normalizer != nullptr && reader.Flag("normalized");
      const std::string text = is_normalized ? (*normalizer)(content) : content;
      if (text.empty()) BadTokenizer("the added token \"" + content + "\" is empty");
      all_.emplace_back(text, token.id);
      (is_normalized ? normalized_ : plain_).Add(text, token);
    }
  }
  plain_.Finish();
  normalized_.Finish();
}

std::vector<AddedTokens::Part> AddedTokens::Split(std::string_view text) const {
  std::vector<Part> parts;
  plain_.Split(text, &parts);
  if (normalizer_ == nullptr) return parts;
  std::vector<Part> all;
  for (Part& part : parts) {
    if (part.id) {
      all.push_back(std::move(part));
    } else {
      normalized_.Split((*normalizer_)(part.text), &all);
    }
  }
  return all;
}

void AddedTokens::Finder::Finish() {
  std::vector<Trie::Entry> entries;
  std::unordered_set<std::string_view> known;
  for (size_t i = 0; i < entries_.size(); ++i) {
    // Of equal ones the first counts.
    if (!known.insert(entries_[i].first).second) continue;
    entries.emplace_back(entries_[i].first, static_cast<int32_t>(i));
  }
  trie_ = Trie(std::move(entries));
}

void AddedTokens::Finder::Split(std::string_view text, std::vector<Part>* parts) const {
  size_t done = 0;
  const auto add_text = [&](size_t end) {
    if (done < end) parts->push_back({std::string(text.substr(done, end - done)), std::nullopt});
  };
  for (size_t at = 0; at < text.size();) {
    const Prefix prefix = LongestPiece(trie_, text.substr(at));
    if (prefix.size == 0) {
      ++at;
      continue;
    }
    const Token& token = entries_[static_cast<size_t>(prefix.value)].second;
    size_t begin = at;
    size_t end = at + prefix.size;
    at = end;
    const bool is_in_word = EndsWithWord(text.substr(0, begin)) || BeginsWithWord(text.substr(end));
    if (token.single_word && is_in_word) continue;
    if (token.lstrip) begin = std::max(begin - SpacesAtEnd(text.substr(0, begin)), done);
    if (token.rstrip) end += SpacesAtBegin(text.substr(end));
    add_text(begin);
    parts->push_back({"", token.id});
    done = end;
  }
  add_text(text.size());
}

}  // namespace tfcompress
