#include "tokenizer/published_splitter.h"

#include <string_view>

#include "tokenizer/byte_letters.h"
#include "tokenizer/gpt2_parts.h"
#include "tokenizer/published_tables.h"
#include "tokenizer/settings_reader.h"
#include "tokenizer/unicode.h"
#include "tokenizer/utf8.h"

namespace tfcompress {
namespace {

using Words = std::vector<std::string>;

uint8_t Bits(char32_t character) { return RunValue(kPublishedRuns, kPublishedRunsSize, character); }

// Splits where neighbours have different classes, and around each character of a class that stands
// alone. Characters of class kNone are left out.
constexpr int kNone = 0;
constexpr int kAlone = 1;

template <typename Class>
Words SplitByClass(const std::string& text, Class class_of) {
  Words words;
  int last = kNone;
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view character = rest.substr(0, CharacterSize(rest));
    const int now = class_of(TakeCharacter(&rest));
    if (now != kNone) {
      if (now != last || now == kAlone) words.emplace_back();
      words.back() += character;
    }
    last = now;
  }
  return words;
}

Words SplitBert(const std::string& text) {
  return SplitByClass(text, [](char32_t character) {
    if (IsWhiteSpace(character)) return kNone;
    return (Bits(character) & kPunctuationBit) != 0 ? kAlone : 2;
  });
}

Words SplitAtSpaces(const std::string& text) {
  return SplitByClass(text, [](char32_t c) { return IsWhiteSpace(c) ? kNone : 2; });
}

Words SplitWords(const std::string& text) {
  return SplitByClass(text, [](char32_t character) {
    if (IsWhiteSpace(character)) return kNone;
    return (Bits(character) & kWordBit) != 0 ? 2 : 3;
  });
}

Group GroupOf(char32_t character) {
  if (IsWhiteSpace(character)) return Group::kSpace;
  const uint8_t bits = Bits(character);
  if ((bits & kLetterBit) != 0) return Group::kLetter;
  return (bits & kNumberBit) != 0 ? Group::kNumber : Group::kOther;
}

PublishedSplitter ByteLevel(const SettingsReader& part) {
  const bool is_prefixed = part.Flag("add_prefix_space");
  const bool is_split = !part.Has("use_regex") || part.Flag("use_regex");
  const auto letters = ByteLetters();
  return [=](const std::string& text) {
    const std::string whole = is_prefixed && text[0] != ' ' ? " " + text : text;
    Words words;
    for (std::string_view rest = whole; !rest.empty();) {
      const size_t size = is_split ? Gpt2PartSize(rest, GroupOf) : rest.size();
      words.emplace_back();
      for (const char byte : rest.substr(0, size)) {
        AppendUtf8(letters[static_cast<uint8_t>(byte)], &words.back());
      }
      rest.remove_prefix(size);
    }
    return words;
  };
}

PublishedSplitter Metaspace(const SettingsReader& part) {
  const std::string mark = part.Text("replacement");
  const std::string& scheme = part.Text("prepend_scheme");
  const bool is_prefixed = scheme == "always";
  const bool is_split = part.Flag("split");
  if (!is_prefixed && scheme != "never") BadTokenizer("its prepend_scheme is " + scheme);
  if (mark.empty() || CharacterSize(mark) != mark.size()) {
    BadTokenizer("its replacement is no character");
  }
  return [=](const std::string& text) {
    std::string marked;
    for (const char c : text) {
      if (c == ' ') {
        marked += mark;
      } else {
        marked += c;
      }
    }
    const bool begins = std::string_view(marked).substr(0, mark.size()) == mark;
    if (is_prefixed && !begins) marked = mark + marked;
    if (!is_split) return Words{marked};
    Words words = {""};
    for (std::string_view rest = marked; !rest.empty();) {
      const std::string_view character = rest.substr(0, CharacterSize(rest));
      if (character == mark && !words.back().empty()) words.emplace_back();
      words.back() += character;
      rest.remove_prefix(character.size());
    }
    return words;
  };
}

PublishedSplitter Sequence(const SettingsReader& part) {
  std::vector<PublishedSplitter> steps;
  for (const json::Value& value : part.List("pretokenizers")) steps.push_back(ReadSplitter(value));
  return [steps](const std::string& text) {
    Words words = {text};
    for (const PublishedSplitter& step : steps) {
      Words split;
      for (const std::string& word : words) {
        for (std::string& piece : step(word)) split.push_back(std::move(piece));
      }
      words = std::move(split);
    }
    return words;
  };
}

}  // namespace

PublishedSplitter ReadSplitter(const json::Value& value) {
  if (value.IsNull()) return [](const std::string& text) { return Words{text}; };
  const SettingsReader part(value);
  const std::string& type = part.Text("type");
  if (type == "Sequence") return Sequence(part);
  if (type == "BertPreTokenizer") return SplitBert;
  if (type == "ByteLevel") return ByteLevel(part);
  if (type == "Metaspace") return Metaspace(part);
  if (type == "Whitespace") return SplitWords;
  if (type == "WhitespaceSplit") return SplitAtSpaces;
  BadTokenizer("its pre_tokenizer is a " + type);
}

}  // namespace tfcompress
