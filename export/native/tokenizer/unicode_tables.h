#ifndef TFCOMPRESS_TOKENIZER_UNICODE_TABLES_H_
#define TFCOMPRESS_TOKENIZER_UNICODE_TABLES_H_

#include <cstddef>
#include <cstdint>

namespace tfcompress {

// Where another value begins: `code point << 8 | value`. The values are the numbers of
// CharacterClass, and canonical combining classes.
extern const uint32_t kClassRuns[];
extern const size_t kClassRunsSize;
extern const uint32_t kCombiningRuns[];
extern const size_t kCombiningRunsSize;

// What characters become, sorted by code point: keys are `code point << 8 | units << 2 | flags`,
// starts are places in the UTF-16 text. The flags of a decomposition are 1 if it is canonical, and
// 2 if it is also undone when text is composed.
extern const uint32_t kDecompositionKeys[];
extern const size_t kDecompositionKeysSize;
extern const uint16_t kDecompositionStarts[];
extern const size_t kDecompositionStartsSize;
extern const char16_t kDecompositionText[];
extern const size_t kDecompositionTextSize;
extern const uint32_t kFoldingKeys[];
extern const size_t kFoldingKeysSize;
extern const uint16_t kFoldingStarts[];
extern const size_t kFoldingStartsSize;
extern const char16_t kFoldingText[];
extern const size_t kFoldingTextSize;

}  // namespace tfcompress

#endif  // TFCOMPRESS_TOKENIZER_UNICODE_TABLES_H_
