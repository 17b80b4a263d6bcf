#ifndef TFCOMPRESS_TOKENIZER_BYTE_LETTERS_H_
#define TFCOMPRESS_TOKENIZER_BYTE_LETTERS_H_

#include <array>
#include <string>
#include <string_view>

namespace tfcompress {

// The printable character that stands for each byte in byte-level vocabularies.
std::array<char32_t, 256> ByteLetters();

// The bytes that pieces of such a vocabulary stand for; a piece that has other characters stands
// for itself.
std::string LetterBytes(std::string_view piece);

}  // namespace tfcompress

#endif  // TFCOMPRESS_TOKENIZER_BYTE_LETTERS_H_
