#ifndef TFCOMPRESS_RUNTIME_MARKUP_TABLES_H_
#define TFCOMPRESS_RUNTIME_MARKUP_TABLES_H_

#include <cstddef>
#include <string_view>

namespace tfcompress {

// Sorted names of elements: those that end a sentence, have no end tag, hold no markup, hold text
// but no markup, hold no text to translate, go on without an end tag, are ended by another of the
// same name, end such, are cells of tables, end these, and keep their line breaks.
extern const std::u32string_view kBlocks[];
extern const size_t kBlocksSize;
extern const std::u32string_view kVoids[];
extern const size_t kVoidsSize;
extern const std::u32string_view kRaw[];
extern const size_t kRawSize;
extern const std::u32string_view kRawText[];
extern const size_t kRawTextSize;
extern const std::u32string_view kOpaque[];
extern const size_t kOpaqueSize;
extern const std::u32string_view kFormatting[];
extern const size_t kFormattingSize;
extern const std::u32string_view kUnique[];
extern const size_t kUniqueSize;
extern const std::u32string_view kScopes[];
extern const size_t kScopesSize;
extern const std::u32string_view kCells[];
extern const size_t kCellsSize;
extern const std::u32string_view kCellEnds[];
extern const size_t kCellEndsSize;
extern const std::u32string_view kPreformatted[];
extern const size_t kPreformattedSize;

// What a tag ends, where that has no end tag; sorted by the tag.
struct Ending {
  std::u32string_view tag;
  std::u32string_view ended;
};
extern const Ending kEndings[];
extern const size_t kEndingsSize;

// Sorted names of characters, as in `&amp;`.
struct NamedCharacter {
  std::u32string_view name;
  char32_t character;
};
extern const NamedCharacter kCharacterNames[];
extern const size_t kCharacterNamesSize;

}  // namespace tfcompress

#endif  // TFCOMPRESS_RUNTIME_MARKUP_TABLES_H_
