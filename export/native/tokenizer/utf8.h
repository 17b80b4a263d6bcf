#ifndef TFCOMPRESS_TOKENIZER_UTF8_H_
#define TFCOMPRESS_TOKENIZER_UTF8_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tfcompress {

// U+2581, which stands for a space in pieces.
inline constexpr std::string_view kSpaceSymbol = "\xE2\x96\x81";

// U+FFFD, which stands for what is no UTF-8.
inline constexpr std::string_view kReplacementCharacter = "\xEF\xBF\xBD";

// The size of the character that a text begins with, as its first byte tells, but at most the
// text's size. The text is not empty.
inline size_t CharacterSize(std::string_view text) {
  const auto lead = static_cast<uint8_t>(text[0]);
  const size_t size = lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  return std::min(size, text.size());
}

// The size of the character that a text begins with; 0 if the bytes there are no UTF-8. The text
// is not empty.
inline size_t ValidCharacterSize(std::string_view text) {
  static constexpr uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  static constexpr uint32_t kLeadBits[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
  const auto lead = static_cast<uint8_t>(text[0]);
  if ((lead >= 0x80 && lead < 0xC0) || lead >= 0xF8) return 0;
  const size_t size = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (size > text.size()) return 0;
  uint32_t code_point = lead & kLeadBits[size];
  for (size_t i = 1; i < size; ++i) {
    const auto byte = static_cast<uint8_t>(text[i]);
    if ((byte & 0xC0) != 0x80) return 0;
    code_point = code_point << 6 | (byte & 0x3Fu);
  }
  const bool is_surrogate = code_point >= 0xD800 && code_point < 0xE000;
  return code_point < kSmallest[size] || code_point > 0x10FFFF || is_surrogate ? 0 : size;
}

// The place of the first byte that is not UTF-8, or npos.
inline size_t FindInvalidUtf8(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    const size_t length = ValidCharacterSize(text.substr(at));
    if (length == 0) return at;
    at += length;
  }
  return std::string_view::npos;
}

// Removes a prefix from a text; false if the text does not begin with it.
inline bool ConsumePrefix(std::string_view prefix, std::string_view* text) {
  if (text->substr(0, prefix.size()) != prefix) return false;
  text->remove_prefix(prefix.size());
  return true;
}

}  // namespace tfcompress

#endif  // TFCOMPRESS_TOKENIZER_UTF8_H_
