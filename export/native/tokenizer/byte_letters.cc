#include "tokenizer/byte_letters.h"

#include <cstddef>
#include <cstdint>

#include "tokenizer/unicode.h"

namespace tfcompress {
namespace {

constexpr int32_t kNone = -1;
constexpr char32_t kLetters = 0x180;

// The byte that each of the first characters stands for, or kNone.
const std::array<int32_t, kLetters>& BytesByLetter() {
  static const auto table = [] {
    std::array<int32_t, kLetters> byte_of;
    byte_of.fill(kNone);
    const auto letters = ByteLetters();
    for (int32_t byte = 0; byte < 256; ++byte) byte_of[letters[static_cast<size_t>(byte)]] = byte;
    return byte_of;
  }();
  return table;
}

}  // namespace

std::array<char32_t, 256> ByteLetters() {
  std::array<char32_t, 256> letters;
  char32_t hidden = 256;
  for (uint32_t byte = 0; byte < 256; ++byte) {
    const bool is_shown =
        (byte >= 0x21 && byte < 0x7F) || (byte >= 0xA1 && byte < 0xAD) || byte >= 0xAE;
    letters[byte] = is_shown ? char32_t{byte} : hidden++;
  }
  return letters;
}

std::string LetterBytes(std::string_view piece) {
  std::string bytes;
  for (std::string_view rest = piece; !rest.empty();) {
    const char32_t letter = TakeCharacter(&rest);
    const int32_t byte = letter < kLetters ? BytesByLetter()[letter] : kNone;
    if (byte == kNone) return std::string(piece);
    bytes += static_cast<char>(byte);
  }
  return bytes;
}

}  // namespace tfcompress
