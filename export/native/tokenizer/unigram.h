#ifndef TFCOMPRESS_TOKENIZER_UNIGRAM_H_
#define TFCOMPRESS_TOKENIZER_UNIGRAM_H_

#include <string_view>
#include <vector>

#include "tokenizer/vocabulary.h"

namespace tfcompress {

// Splits a normalized text into the pieces whose scores have the highest sum (Viterbi search).
std::vector<Segment> SplitUnigram(const Vocabulary& vocabulary, std::string_view text);

}  // namespace tfcompress

#endif  // TFCOMPRESS_TOKENIZER_UNIGRAM_H_
