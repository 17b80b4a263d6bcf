#ifndef TFCOMPRESS_TOKENIZER_UNICODE_H_
#define TFCOMPRESS_TOKENIZER_UNICODE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tfcompress {

// The general categories that tokenizers tell apart; the numbers are those of the tables.
enum class CharacterClass : uint8_t {
  kOther = 0,
  kLetter = 1,       // L*
  kNumber = 2,       // N*
  kMark = 3,         // Mn
  kPunctuation = 4,  // P*
  kControl = 5,      // Cc and Cf
};

CharacterClass ClassOf(char32_t character);

// Unicode's property White_Space.
bool IsWhiteSpace(char32_t character);

// Whether a character is in the blocks of Chinese characters that BERT splits at.
bool IsChinese(char32_t character);

// Whether a text is ASCII only.
bool IsAscii(std::string_view text);

// A text as UTF-8: each maximal part that is none becomes U+FFFD.
std::string ValidText(std::string_view bytes);

// Takes the first character from a text, which is UTF-8 and not empty.
char32_t TakeCharacter(std::string_view* text);

void AppendUtf8(char32_t character, std::string* text);

// Whose knowledge of Unicode counts: that of `unicode_tables.h`, or of the package tokenizers.
enum class Knowledge { kOwn, kPublished };

// A normalization form.
struct NormalizationForm {
  bool is_compatible;
  bool is_composed;
};

std::u32string Normalize(const std::u32string& text, NormalizationForm form, Knowledge knowledge);

// The characters of a valid UTF-8 text.
std::u32string ToCharacters(std::string_view text);

// The UTF-8 text of valid characters.
std::string ToUtf8(std::u32string_view characters);

// The value of the run that a character is in, of runs as in `unicode_tables.h`.
uint8_t RunValue(const uint32_t* runs, size_t size, char32_t character);

// Characters mapped one by one by tables as in `unicode_tables.h`.
struct Mapping {
  const uint32_t* keys;
  size_t size;
  const uint16_t* starts;
  const char16_t* text;
};
std::u32string Map(const Mapping& mapping, const std::u32string& text);

// A UTF-8 text decomposed (NFD) and without marks (category Mn).
std::string RemoveAccents(std::string_view text);

// A UTF-8 text after NFKC, case folding and NFKC once more, without default ignorable characters.
std::string FoldCase(std::string_view text);

}  // namespace tfcompress

#endif  // TFCOMPRESS_TOKENIZER_UNICODE_H_
