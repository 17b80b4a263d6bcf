#ifndef TFCOMPRESS_RUNTIME_TEXT_TABLES_H_
#define TFCOMPRESS_RUNTIME_TEXT_TABLES_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tfcompress {

// Where other properties begin: `code point << 9 | properties`, see runtime/characters.h.
extern const uint32_t kTextRuns[];
extern const size_t kTextRunsSize;

// Sorted words whose full stop ends no sentence: anywhere, and before numbers.
extern const std::u32string_view kTitles[];
extern const size_t kTitlesSize;
extern const std::u32string_view kNumbered[];
extern const size_t kNumberedSize;

}  // namespace tfcompress

#endif  // TFCOMPRESS_RUNTIME_TEXT_TABLES_H_
