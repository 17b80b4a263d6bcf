#ifndef TFCOMPRESS_TOKENIZER_PUBLISHED_TABLES_H_
#define TFCOMPRESS_TOKENIZER_PUBLISHED_TABLES_H_

#include <cstddef>
#include <cstdint>

namespace tfcompress {

// What a character is to the package tokenizers, for the functions of its own.
enum PublishedBits : uint8_t {
  kRemovedBit = 1,
  kPunctuationBit = 2,
  kNonspacingBit = 4,
  kMarkBit = 8,
  kLetterBit = 16,
  kNumberBit = 32,
  kWordBit = 64,
  kChineseBit = 128,
};

// Where characters have other bits: `code point << 8 | bits`; and where they have another canonical
// combining class than the character before.
extern const uint32_t kPublishedRuns[];
extern const size_t kPublishedRunsSize;
extern const uint32_t kPublishedCombiningRuns[];
extern const size_t kPublishedCombiningRunsSize;

// The code points that the package does not decompose, unlike `kDecompositionKeys`.
extern const uint32_t kUnknownDecompositions[];
extern const size_t kUnknownDecompositionsSize;

// Lower case, as in `unicode_tables.h`.
extern const uint32_t kLowercaseKeys[];
extern const size_t kLowercaseKeysSize;
extern const uint16_t kLowercaseStarts[];
extern const size_t kLowercaseStartsSize;
extern const char16_t kLowercaseText[];
extern const size_t kLowercaseTextSize;

// Where another GraphemeClass begins: `code point << 8 | class`.
extern const uint32_t kGraphemeRuns[];
extern const size_t kGraphemeRunsSize;

}  // namespace tfcompress

#endif  // TFCOMPRESS_TOKENIZER_PUBLISHED_TABLES_H_
