#ifndef TFCOMPRESS_RUNTIME_TAG_PLACEMENT_H_
#define TFCOMPRESS_RUNTIME_TAG_PLACEMENT_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace tfcompress {

// A place in a text, in characters.
struct TextSpan {
  size_t begin;
  size_t end;
};

// A tag with its partner, or whatever else has a place in a text.
struct Tag {
  size_t begin;  // Where the text in it begins and ends.
  size_t end;
  std::string opening;
  std::string closing;  // Empty without a partner.
  int parent = -1;      // The number of the element that it is in, or -1.
  // Whether space is before and after it, where it has no partner.
  bool has_space_before = false;
  bool has_space_after = false;
};

// How a part of a text and its translation are aligned. All places are in the whole texts.
struct AlignedPart {
  TextSpan source;
  TextSpan target;
  std::vector<TextSpan> source_tokens;
  std::vector<TextSpan> target_tokens;
  std::vector<double> weights;  // [target tokens, source tokens]
};

// The markup of a translation with the tags of its source, each after the one that it is in. Gives
// what the Python runtime gives.
std::string PlaceTags(std::u32string_view source, const std::vector<Tag>& tags,
                      std::u32string_view target, const std::vector<AlignedPart>& alignment);

// Which part of each token of one tokenizer is in those of another: [rows + 1, columns + 1], whose
// last row and column are of the end marks.
std::vector<double> SharedCharacters(const std::vector<TextSpan>& rows,
                                     const std::vector<TextSpan>& columns);

}  // namespace tfcompress

#endif  // TFCOMPRESS_RUNTIME_TAG_PLACEMENT_H_
