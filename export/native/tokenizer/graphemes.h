#ifndef TFCOMPRESS_TOKENIZER_GRAPHEMES_H_
#define TFCOMPRESS_TOKENIZER_GRAPHEMES_H_

#include <cstddef>
#include <string_view>

namespace tfcompress {

// The size of the grapheme cluster (Unicode Standard Annex 29) that a UTF-8 text begins with, which
// is not empty.
size_t GraphemeSize(std::string_view text);

}  // namespace tfcompress

#endif  // TFCOMPRESS_TOKENIZER_GRAPHEMES_H_
