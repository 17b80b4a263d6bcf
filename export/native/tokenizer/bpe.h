#ifndef TFCOMPRESS_TOKENIZER_BPE_H_
#define TFCOMPRESS_TOKENIZER_BPE_H_

#include <string_view>
#include <vector>

#include "tokenizer/vocabulary.h"

namespace tfcompress {

// Splits a normalized text into characters and merges neighbours, the pair with the highest score
// first (byte-pair encoding).
std::vector<Segment> SplitBpe(const Vocabulary& vocabulary, std::string_view text);

}  // namespace tfcompress

#endif  // TFCOMPRESS_TOKENIZER_BPE_H_
