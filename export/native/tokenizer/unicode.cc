#include "tokenizer/unicode.h"

#include <algorithm>
#include <cstddef>
#include <unordered_map>

#include "tokenizer/published_tables.h"
#include "tokenizer/unicode_tables.h"
#include "tokenizer/utf8.h"

namespace tfcompress {
namespace {

constexpr uint32_t kCanonical = 1;
constexpr uint32_t kComposed = 2;

// Hangul syllables are composed by arithmetic.
constexpr char32_t kSyllables = 0xAC00;
constexpr char32_t kLeads = 0x1100;
constexpr char32_t kVowels = 0x1161;
constexpr char32_t kTails = 0x11A7;
constexpr char32_t kNumLeads = 19;
constexpr char32_t kNumVowels = 21;
constexpr char32_t kNumTails = 28;
constexpr char32_t kNumSyllables = kNumLeads * kNumVowels * kNumTails;

struct Range {
  char32_t first;
  char32_t last;
};

constexpr Range kChinese[] = {
    {0x3400, 0x4DBF},   {0x4E00, 0x9FFF},   {0xF900, 0xFAFF},   {0x20000, 0x2A6DF},
    {0x2A700, 0x2B73F}, {0x2B740, 0x2CEAF}, {0x2F800, 0x2FA1F},
};

constexpr Range kIgnorable[] = {
    {0xAD, 0xAD},       {0x34F, 0x34F},     {0x61C, 0x61C},   {0x115F, 0x1160}, {0x17B4, 0x17B5},
    {0x180B, 0x180F},   {0x200B, 0x200F},   {0x202A, 0x202E}, {0x2060, 0x206F}, {0x3164, 0x3164},
    {0xFE00, 0xFE0F},   {0xFEFF, 0xFEFF},   {0xFFA0, 0xFFA0}, {0xFFF0, 0xFFF8}, {0x1BCA0, 0x1BCA3},
    {0x1D173, 0x1D17A}, {0xE0000, 0xE0FFF},
};

constexpr Range kWhiteSpace[] = {
    {0x09, 0x0D},     {0x20, 0x20},     {0x85, 0x85},     {0xA0, 0xA0},     {0x1680, 0x1680},
    {0x2000, 0x200A}, {0x2028, 0x2029}, {0x202F, 0x202F}, {0x205F, 0x205F}, {0x3000, 0x3000},
};

template <size_t size>
bool IsIn(const Range (&ranges)[size], char32_t character) {
  for (const Range& range : ranges) {
    if (character <= range.last) return character >= range.first;
  }
  return false;
}

uint8_t CombiningClass(char32_t character, Knowledge knowledge) {
  if (character < 0x300) return 0;
  if (knowledge == Knowledge::kOwn) return RunValue(kCombiningRuns, kCombiningRunsSize, character);
  return RunValue(kPublishedCombiningRuns, kPublishedCombiningRunsSize, character);
}

bool Decomposes(char32_t character, Knowledge knowledge) {
  const auto* end = kUnknownDecompositions + kUnknownDecompositionsSize;
  return knowledge == Knowledge::kOwn ||
         !std::binary_search(kUnknownDecompositions, end, uint32_t{character});
}

// The place of a character in sorted keys, or `size`.
size_t FindKey(const uint32_t* keys, size_t size, char32_t character) {
  const auto it = std::lower_bound(keys, keys + size, character << 8);
  const bool is_there = it != keys + size && *it >> 8 == character;
  return is_there ? static_cast<size_t>(it - keys) : size;
}

// The characters that a table maps to, from UTF-16.
std::u32string MappedText(uint32_t key, const char16_t* units) {
  std::u32string text;
  const size_t size = key >> 2 & 0x3F;
  for (size_t i = 0; i < size; ++i) {
    char32_t character = units[i];
    if (character >= 0xD800 && character < 0xDC00) {
      character = 0x10000 + ((character - 0xD800) << 10) + (units[++i] - 0xDC00u);
    }
    text += character;
  }
  return text;
}

void AppendDecomposed(char32_t character, bool is_compatible, Knowledge knowledge,
                      std::u32string* text) {
  if (character < 0x80) {
    *text += character;
    return;
  }
  if (character - kSyllables < kNumSyllables) {
    const char32_t index = character - kSyllables;
    *text += kLeads + index / (kNumVowels * kNumTails);
    *text += kVowels + index / kNumTails % kNumVowels;
    if (index % kNumTails != 0) *text += kTails + index % kNumTails;
    return;
  }
  const size_t at = FindKey(kDecompositionKeys, kDecompositionKeysSize, character);
  if (at == kDecompositionKeysSize || !Decomposes(character, knowledge) ||
      !(is_compatible || (kDecompositionKeys[at] & kCanonical) != 0)) {
    *text += character;
    return;
  }
  const uint32_t key = kDecompositionKeys[at];
  for (const char32_t part : MappedText(key, kDecompositionText + kDecompositionStarts[at])) {
    AppendDecomposed(part, is_compatible, knowledge, text);
  }
}

std::u32string Decompose(const std::u32string& text, bool is_compatible, Knowledge knowledge) {
  std::u32string parts;
  for (const char32_t character : text) {
    AppendDecomposed(character, is_compatible, knowledge, &parts);
  }
  const auto combining = [=](char32_t c) { return CombiningClass(c, knowledge); };
  // Marks are sorted between characters that do not combine.
  const auto is_starter = [=](char32_t character) { return combining(character) == 0; };
  auto at = parts.begin();
  while (at != parts.end()) {
    const auto first = std::find_if_not(at, parts.end(), is_starter);
    at = std::find_if(first, parts.end(), is_starter);
    std::stable_sort(first, at,
                     [=](char32_t a, char32_t b) { return combining(a) < combining(b); });
  }
  return parts;
}

using Compositions = std::unordered_map<uint64_t, char32_t>;

uint64_t PairKey(char32_t first, char32_t second) { return uint64_t{first} << 32 | second; }

const Compositions& AllCompositions() {
  static const Compositions& all = *[] {
    auto* compositions = new Compositions();
    for (size_t i = 0; i < kDecompositionKeysSize; ++i) {
      const uint32_t key = kDecompositionKeys[i];
      if ((key & kComposed) == 0) continue;
      const std::u32string pair = MappedText(key, kDecompositionText + kDecompositionStarts[i]);
      compositions->emplace(PairKey(pair[0], pair[1]), key >> 8);
    }
    return compositions;
  }();
  return all;
}

// The composition of two characters; 0 if they have none.
char32_t ComposePair(char32_t first, char32_t second, Knowledge knowledge) {
  if (first - kLeads < kNumLeads && second - kVowels < kNumVowels) {
    return kSyllables + ((first - kLeads) * kNumVowels + (second - kVowels)) * kNumTails;
  }
  const bool is_open = first - kSyllables < kNumSyllables && (first - kSyllables) % kNumTails == 0;
  if (is_open && second > kTails && second < kTails + kNumTails) return first + (second - kTails);
  const auto it = AllCompositions().find(PairKey(first, second));
  const bool is_known = it != AllCompositions().end() && Decomposes(it->second, knowledge);
  return is_known ? it->second : 0;
}

std::u32string Compose(const std::u32string& parts, Knowledge knowledge) {
  std::u32string text;
  size_t starter = std::u32string::npos;
  // The combining class of the last character that was kept after the starter.
  int last = -1;
  for (const char32_t character : parts) {
    const int combining = CombiningClass(character, knowledge);
    if (starter != std::u32string::npos && last < combining) {
      const char32_t composed = ComposePair(text[starter], character, knowledge);
      if (composed != 0) {
        text[starter] = composed;
        continue;
      }
    }
    if (combining == 0) {
      starter = text.size();
      last = -1;
    } else {
      last = combining;
    }
    text += character;
  }
  return text;
}

std::u32string Nfkc(const std::u32string& text) {
  return Normalize(text, {true, true}, Knowledge::kOwn);
}

// The size of the longest part at the begin of a text that could begin a character, or one byte.
// What begins there is no UTF-8.
size_t InvalidSize(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t lead = byte(0);
  if (lead < 0xC2 || lead > 0xF4) return 1;
  const size_t needed = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  const uint8_t lowest = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  const uint8_t highest = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  if (text.size() < 2 || byte(1) < lowest || byte(1) > highest) return 1;
  size_t size = 2;
  while (size < std::min(needed, text.size()) && (byte(size) & 0xC0) == 0x80) ++size;
  return size;
}

}  // namespace

uint8_t RunValue(const uint32_t* runs, size_t size, char32_t character) {
  const auto after = std::upper_bound(runs, runs + size, character << 8 | 0xFFu);
  return static_cast<uint8_t>(after[-1]);
}

std::u32string Map(const Mapping& mapping, const std::u32string& text) {
  std::u32string mapped;
  for (const char32_t character : text) {
    const size_t at = FindKey(mapping.keys, mapping.size, character);
    if (at == mapping.size) {
      mapped += character;
    } else {
      mapped += MappedText(mapping.keys[at], mapping.text + mapping.starts[at]);
    }
  }
  return mapped;
}

std::u32string Normalize(const std::u32string& text, NormalizationForm form, Knowledge knowledge) {
  const std::u32string parts = Decompose(text, form.is_compatible, knowledge);
  return form.is_composed ? Compose(parts, knowledge) : parts;
}

std::u32string ToCharacters(std::string_view text) {
  std::u32string characters;
  characters.reserve(text.size());
  while (!text.empty()) characters += TakeCharacter(&text);
  return characters;
}

std::string ToUtf8(std::u32string_view characters) {
  std::string text;
  for (const char32_t character : characters) AppendUtf8(character, &text);
  return text;
}

CharacterClass ClassOf(char32_t character) {
  return static_cast<CharacterClass>(RunValue(kClassRuns, kClassRunsSize, character));
}

bool IsWhiteSpace(char32_t character) { return IsIn(kWhiteSpace, character); }

bool IsChinese(char32_t character) { return IsIn(kChinese, character); }

bool IsAscii(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char byte) { return (static_cast<uint8_t>(byte) & 0x80) == 0; });
}

std::string ValidText(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size());
  while (!bytes.empty()) {
    const size_t size = ValidCharacterSize(bytes);
    text += size == 0 ? kReplacementCharacter : bytes.substr(0, size);
    bytes.remove_prefix(size == 0 ? InvalidSize(bytes) : size);
  }
  return text;
}

char32_t TakeCharacter(std::string_view* text) {
  const size_t size = CharacterSize(*text);
  const auto lead = static_cast<uint8_t>((*text)[0]);
  char32_t character = size == 1 ? lead : lead & (0x7Fu >> size);
  for (size_t i = 1; i < size; ++i) {
    character = character << 6 | (static_cast<uint8_t>((*text)[i]) & 0x3Fu);
  }
  text->remove_prefix(size);
  return character;
}

void AppendUtf8(char32_t character, std::string* text) {
  if (character < 0x80) {
    *text += static_cast<char>(character);
    return;
  }
  const int more = character < 0x800 ? 1 : character < 0x10000 ? 2 : 3;
  const uint32_t mark = more == 1 ? 0xC0 : more == 2 ? 0xE0 : 0xF0;
  *text += static_cast<char>(mark | character >> (6 * more));
  for (int i = more - 1; i >= 0; --i) {
    *text += static_cast<char>(0x80 | (character >> (6 * i) & 0x3F));
  }
}

std::string RemoveAccents(std::string_view text) {
  if (IsAscii(text)) return std::string(text);
  std::string kept;
  const std::u32string parts = Normalize(ToCharacters(text), {false, false}, Knowledge::kOwn);
  for (const char32_t character : parts) {
    if (ClassOf(character) != CharacterClass::kMark) AppendUtf8(character, &kept);
  }
  return kept;
}

std::string FoldCase(std::string_view text) {
  std::string folded;
  if (IsAscii(text)) {
    for (const char byte : text) {
      folded += static_cast<char>(byte >= 'A' && byte <= 'Z' ? byte + ('a' - 'A') : byte);
    }
    return folded;
  }
  const Mapping fold = {kFoldingKeys, kFoldingKeysSize, kFoldingStarts, kFoldingText};
  for (const char32_t character : Nfkc(Map(fold, Nfkc(ToCharacters(text))))) {
    if (!IsIn(kIgnorable, character)) AppendUtf8(character, &folded);
  }
  return folded;
}

}  // namespace tfcompress
