#ifndef TFCOMPRESS_RUNTIME_MARKUP_SCANNER_H_
#define TFCOMPRESS_RUNTIME_MARKUP_SCANNER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tfcompress {

// The white space of markup.
inline constexpr std::u32string_view kMarkupSpace = U" \t\n\r\f";

// What a token of markup is.
enum class TokenType : uint8_t {
  kText,
  kOpen,
  kClose,
  kEmpty,  // A tag that is an element by itself.
  kKept,   // A comment, a script and the like.
};

struct MarkupToken {
  TokenType type;
  size_t begin;
  size_t end;
  std::u32string name = {};  // A tag's, in small letters.
  bool is_opaque = false;    // Whether an element's content is not translated.
};

// The tokens of markup, which together are all of it, as in Python. Throws Error
// (kInvalidArgument) if a tag, comment or script has no end.
std::vector<MarkupToken> ScanMarkup(std::u32string_view text);

// A part of text with character references: its size as it is written, and what it stands for;
// nothing where nobody but the document's own definitions knows.
struct DecodedPart {
  size_t size;
  std::optional<std::u32string> meant;
};
std::vector<DecodedPart> DecodeReferences(std::u32string_view text);

// UTF-8 text with references for the characters that markup is made of.
std::string EncodeMarkup(std::u32string_view text);

// The elements without end tags that a tag ends.
std::vector<std::u32string_view> EndedBy(std::u32string_view name);

// Whether an element ends a sentence; goes on without an end tag beyond the one around; is ended by
// another of the same name; ends such; is a table's cell; ends one; or keeps its line breaks.
bool IsBlock(std::u32string_view name);
bool IsFormatting(std::u32string_view name);
bool IsUnique(std::u32string_view name);
bool IsScope(std::u32string_view name);
bool IsCell(std::u32string_view name);
bool IsCellEnd(std::u32string_view name);
bool IsPreformatted(std::u32string_view name);

}  // namespace tfcompress

#endif  // TFCOMPRESS_RUNTIME_MARKUP_SCANNER_H_
