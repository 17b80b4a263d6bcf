#ifndef TFCOMPRESS_RUNTIME_MARKUP_H_
#define TFCOMPRESS_RUNTIME_MARKUP_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/tag_placement.h"

namespace tfcompress {

// A text without its tags, each of which comes after the one that it is in.
struct MarkupSegment {
  std::u32string text;
  std::vector<Tag> tags;
};

// The translation of a segment.
struct TranslatedSegment {
  std::u32string text;
  std::vector<AlignedPart> alignment;
};

// Markup in parts: what stays as it is, and segments. Gives what the Python runtime gives.
class MarkupDocument {
 public:
  // Takes valid UTF-8 apart. Throws Error (kInvalidArgument) if a tag, comment or script has no
  // end.
  static MarkupDocument Parse(std::string_view text);

  // What is to be translated.
  const std::vector<MarkupSegment>& segments() const { return segments_; }

  // Puts the markup together again, with the translation of each segment.
  std::string Join(const std::vector<TranslatedSegment>& translations) const;

 private:
  // What is before each segment, and after the last.
  std::vector<std::string> kept_;
  std::vector<MarkupSegment> segments_;
};

}  // namespace tfcompress

#endif  // TFCOMPRESS_RUNTIME_MARKUP_H_
