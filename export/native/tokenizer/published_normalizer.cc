#include "tokenizer/published_normalizer.h"

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "tokenizer/charsmap.h"
#include "tokenizer/graphemes.h"
#include "tokenizer/published_tables.h"
#include "tokenizer/settings_reader.h"
#include "tokenizer/unicode.h"
#include "tokenizer/utf8.h"

namespace tfcompress {
namespace {

// Longer graphemes are replaced character by character.
constexpr size_t kLongGrapheme = 6;

// Far above what any true normalization needs (NFKC: 13 times the size), so that a damaged file
// cannot take all memory.
constexpr size_t kMostGrowth = 64;
constexpr size_t kMostFixedGrowth = size_t{1} << 20;

bool Has(char32_t character, PublishedBits bit) {
  return (RunValue(kPublishedRuns, kPublishedRunsSize, character) & bit) != 0;
}

std::u32string Without(PublishedBits bit, const std::u32string& characters) {
  std::u32string kept;
  for (const char32_t character : characters) {
    if (!Has(character, bit)) kept += character;
  }
  return kept;
}

std::u32string Lowercase(const std::u32string& characters) {
  return Map({kLowercaseKeys, kLowercaseKeysSize, kLowercaseStarts, kLowercaseText}, characters);
}

// A normalizer of a function on characters.
template <typename Function>
PublishedNormalizer OnCharacters(Function function) {
  return [function](const std::string& text) { return ToUtf8(function(ToCharacters(text))); };
}

std::u32string Spaced(const std::u32string& characters) {
  std::u32string spaced;
  for (const char32_t character : characters) {
    if (Has(character, kChineseBit)) {
      spaced += {U' ', character, U' '};
    } else {
      spaced += character;
    }
  }
  return spaced;
}

PublishedNormalizer Bert(const SettingsReader& part) {
  const bool is_lowercase = part.Flag("lowercase");
  const bool strips = part.IsNull("strip_accents") ? is_lowercase : part.Flag("strip_accents");
  const bool is_cleaned = part.Flag("clean_text");
  const bool is_spaced = part.Flag("handle_chinese_chars");
  return OnCharacters([=](std::u32string text) {
    if (is_cleaned) {
      text = Without(kRemovedBit, text);
      for (char32_t& character : text) {
        if (IsWhiteSpace(character)) character = U' ';
      }
    }
    if (is_spaced) text = Spaced(text);
    if (strips) {
      text = Without(kNonspacingBit, Normalize(text, {false, false}, Knowledge::kPublished));
    }
    return is_lowercase ? Lowercase(text) : text;
  });
}

bool IsNmtRemoved(char32_t c) {
  return (c >= 1 && c <= 8) || c == 0xB || (c >= 0xE && c <= 0x1F) || c == 0x7F || c == 0x8F ||
         c == 0x9F;
}

bool IsNmtSpace(char32_t c) {
  return c == 9 || c == 0xA || c == 0xC || c == 0xD || c == 0x1680 ||
         (c >= 0x200B && c <= 0x200F) || c == 0x2028 || c == 0x2029 || c == 0x2581 || c == 0xFEFF ||
         c == 0xFFFD;
}

std::u32string Nmt(const std::u32string& characters) {
  std::u32string kept;
  for (const char32_t character : characters) {
    if (!IsNmtRemoved(character)) kept += IsNmtSpace(character) ? U' ' : character;
  }
  return kept;
}

std::u32string Stripped(std::u32string text, bool left, bool right) {
  size_t begin = 0;
  while (left && begin < text.size() && IsWhiteSpace(text[begin])) ++begin;
  text.erase(0, begin);
  while (right && !text.empty() && IsWhiteSpace(text.back())) text.pop_back();
  return text;
}

void CheckGrowth(size_t before, size_t after) {
  if (after > kMostGrowth * before + kMostFixedGrowth) {
    BadTokenizer("its normalizer makes a text more than 64 times as long");
  }
}

// Replaces a text wherever it is, or with `is_run` wherever it is there twice or more.
PublishedNormalizer Replace(const SettingsReader& part) {
  const SettingsReader pattern(part.Find("pattern"));
  const std::string content = part.Text("content");
  const bool is_run = pattern.Has("Regex");
  if (is_run && pattern.Text("Regex") != " {2,}") {
    BadTokenizer("its normalizer replaces the regular expression " + pattern.Text("Regex"));
  }
  const std::string old = is_run ? " " : pattern.Text("String");
  if (old.empty()) BadTokenizer("its normalizer replaces an empty text");
  return [=](const std::string& text) {
    std::string replaced;
    for (std::string_view rest = text; !rest.empty();) {
      size_t count = 0;
      std::string_view after = rest;
      while ((is_run || count < 1) && ConsumePrefix(old, &after)) ++count;
      if (count > (is_run ? 1u : 0u)) {
        replaced += content;
        rest = after;
        CheckGrowth(text.size(), replaced.size());
      } else {
        replaced += rest[0];
        rest.remove_prefix(1);
      }
    }
    return replaced;
  };
}

std::string FromBase64(const std::string& text) {
  static constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  uint32_t bits = 0;
  int count = 0;
  for (const char c : text.substr(0, text.find('='))) {
    const size_t digit = kDigits.find(c);
    if (digit == kDigits.npos) BadTokenizer("its precompiled_charsmap is no base64");
    bits = bits << 6 | static_cast<uint32_t>(digit);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes += static_cast<char>(bits >> count & 0xFF);
  }
  return bytes;
}

// Replaces short graphemes as a whole by what the shortest key that they begin with becomes, as
// the package tokenizers does.
PublishedNormalizer Precompiled(const SettingsReader& part) {
  const auto map = std::make_shared<const Charsmap>(FromBase64(part.Text("precompiled_charsmap")));
  return [map](const std::string& text) {
    std::string replaced;
    const auto replace = [&](std::string_view piece) {
      const Replacement replacement = map->Find(piece, 1);
      if (replacement.size > 0) replaced += replacement.text;
      return replacement.size > 0;
    };
    for (std::string_view rest = text; !rest.empty();) {
      std::string_view grapheme = rest.substr(0, GraphemeSize(rest));
      rest.remove_prefix(grapheme.size());
      if (grapheme.size() < kLongGrapheme && replace(grapheme)) continue;
      while (!grapheme.empty()) {
        const std::string_view character = grapheme.substr(0, CharacterSize(grapheme));
        if (!replace(character)) replaced += character;
        grapheme.remove_prefix(character.size());
      }
      CheckGrowth(text.size(), replaced.size());
    }
    return replaced;
  };
}

PublishedNormalizer Sequence(const SettingsReader& part) {
  std::vector<PublishedNormalizer> steps;
  for (const json::Value& value : part.List("normalizers")) steps.push_back(ReadNormalizer(value));
  return [steps](std::string text) {
    for (const PublishedNormalizer& step : steps) text = step(text);
    return text;
  };
}

PublishedNormalizer Form(NormalizationForm form) {
  return OnCharacters(
      [form](const std::u32string& text) { return Normalize(text, form, Knowledge::kPublished); });
}

}  // namespace

PublishedNormalizer ReadNormalizer(const json::Value& value) {
  if (value.IsNull()) return [](const std::string& text) { return text; };
  const SettingsReader part(value);
  const std::string& type = part.Text("type");
  if (type == "Sequence") return Sequence(part);
  if (type == "BertNormalizer") return Bert(part);
  if (type == "Lowercase") return OnCharacters(Lowercase);
  if (type == "NFC") return Form({false, true});
  if (type == "NFD") return Form({false, false});
  if (type == "NFKC") return Form({true, true});
  if (type == "NFKD") return Form({true, false});
  if (type == "Nmt") return OnCharacters(Nmt);
  if (type == "Precompiled") return Precompiled(part);
  if (type == "Replace") return Replace(part);
  if (type == "StripAccents") {
    return OnCharacters([](const std::u32string& text) { return Without(kMarkBit, text); });
  }
  if (type == "Strip") {
    const bool left = part.Flag("strip_left");
    const bool right = part.Flag("strip_right");
    return OnCharacters([=](const std::u32string& text) { return Stripped(text, left, right); });
  }
  if (type == "Prepend") {
    const std::string prefix = part.Text("prepend");
    return [prefix](const std::string& text) { return text.empty() ? text : prefix + text; };
  }
  BadTokenizer("its normalizer is a " + type);
}

}  // namespace tfcompress
